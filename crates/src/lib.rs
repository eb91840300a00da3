//! Nothing but the C interfaces of the crates that were chosen.

#[cfg(feature = "cql")]
pub use hubbub_cql::*;
#[cfg(feature = "parquet")]
pub use hubbub_parquet::*;
