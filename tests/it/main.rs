//! One integration crate: real git repositories in temporary directories, git itself as the judge.

mod support;

mod add;
mod candidate;
mod check;
mod demo;
mod discovery;
mod init;
mod merge;
mod merge_oracle;
mod recognised;
mod robust;
mod security;
mod sync;
mod text;
mod tree_hash;
mod unknown_base;
