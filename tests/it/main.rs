//! One integration crate: real git repositories in temporary directories, git itself as the judge.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::disallowed_methods, reason = "tests make repositories, run programs and read them with git itself")]

mod add;
mod add_link;
mod cache;
mod candidate;
mod carried;
mod check;
mod demo;
mod discovery;
mod documents;
mod faults;
mod holds;
mod house;
mod init;
mod laws;
mod licenses;
mod link;
mod merge;
mod merge_oracle;
mod moved;
mod ownership;
mod paused;
mod policy;
mod pull_request;
mod push;
mod recognised;
mod removed_source;
mod robust;
mod runners;
mod security;
mod states;
mod support;
mod sync;
mod text;
mod tree_hash;
mod unknown_base;
mod versions;
mod withdrawn;
