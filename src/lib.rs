pub mod cli;
pub mod git;
pub mod ops;
pub mod registry;
pub mod skill;
pub mod source;
pub mod sync;
pub mod types;
