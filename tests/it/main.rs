//! One integration crate: real git repositories in temporary directories, git itself as the judge.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::disallowed_methods, reason = "tests make repositories, run programs and read them with git itself")]

mod add;
mod add_link;
mod archive;
mod cache;
mod candidate;
mod carried;
mod chain;
mod check;
mod clawhub;
mod demo;
mod discover_local;
mod discovery;
mod documents;
mod faults;
mod forge;
mod holds;
mod host;
mod house;
mod import;
mod import_link;
mod index;
mod init;
mod laws;
mod licenses;
mod link;
mod locations;
mod marketplaces;
mod merge;
mod merge_oracle;
mod moved;
mod npm;
mod ownership;
mod paused;
mod plain;
mod plugins;
mod policy;
mod pull_request;
mod push;
mod recognised;
mod removed_source;
mod renamed;
mod robust;
mod runners;
mod security;
mod states;
mod support;
mod sync;
mod text;
mod tree_hash;
mod unknown_base;
mod verdicts;
mod versions;
mod withdrawn;
