//! One integration crate: real git repositories in temporary directories, git itself as the judge.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::disallowed_methods, reason = "tests make repositories, run programs and read them with git itself")]

mod documents;
mod house;
mod laws;
mod merge_oracle;
