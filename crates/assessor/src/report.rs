//! What a report says, before anyone decides how it looks.
