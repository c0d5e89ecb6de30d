//! How people audit: engagements, roles, registers, reviews, as a machine whose workflow is data.
