//! OSCAL 1.2.1 out, 1.1.2 to 1.2.3 in, for all eight models.
