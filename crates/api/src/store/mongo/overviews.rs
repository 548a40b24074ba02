//! overviews
