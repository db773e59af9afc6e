//! Everything that is git: objects, refs and history in-process (gix), network and checkout through the user's `git`.
//!
//! This is the only module that names gix types or starts a process; the rest of the crate sees the plain types below.

mod history;
mod objects;
mod pack;
mod paths;
pub(crate) mod process;
mod recover;
mod refs;
mod remote;
mod repository;
mod store;
#[cfg(test)]
mod test_world;
mod text;
pub(crate) mod transport;

pub use history::{History, first_parents, merge_base};
pub use objects::{BStr, BString, ByteSlice, Commit, Mode, NewCommit, ObjectKind, Oid, Tree, TreeEntry};
pub use pack::sha1;
pub use paths::{Changes, Place, entry_at, same_except, tree_at, with_changes};
pub use process::{Environment, Git, Output, Protocols, Running, Where, last_words, redact};
pub use recover::clear_after_killed_run;
pub use refs::{RefChange, RefName, Refs};
pub use remote::{OwnRemote, Pushed, is_contended, no_such_remote};
pub use repository::Repository;
pub use store::Store;
pub use text::{TextMerge, merge_text};
pub use transport::{
    FETCHED, FetchRequest, Remote, RemoteRefs, Want, clean_temporary_files, fetch_blobs, fetch_commit, fetch_history,
    init_bare, is_full_id, is_short_ref_name, ls_remote,
};
