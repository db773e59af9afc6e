//! One integration crate: real git repositories in temporary directories, git itself as the judge.

mod laws;
mod merge_oracle;
