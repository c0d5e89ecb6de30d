//! What CCSS adds: scope, designations, statuses, levels, inheritance, sampling.
