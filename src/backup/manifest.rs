//! What a backup says of itself: who made it and when, which tables it has, and the length and hash of each file.

use super::tables::Table;
use crate::db::Which;
use serde::{Deserialize, Serialize};

/// Raised when a program that knows only the older one could not read it.
pub const FORMAT: u32 = 1;

/// The archive's last file.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u32,
    /// The version of the program that made it.
    pub hubbub: String,
    /// As of when, ms.
    pub made_at: i64,
    /// The messages database's; a restored one gets another.
    pub epoch: Option<String>,
    pub databases: Vec<Dump>,
    /// In the archive's order.
    pub files: Vec<Kept>,
}

/// One database.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dump {
    /// `accounts` or `messages`.
    pub name: String,
    /// `sqlite` or `postgres`, for whoever wonders.
    pub engine: String,
    /// The versions of the migrations that had run.
    pub migrations: Vec<String>,
    /// Those that others refer to come before them.
    pub tables: Vec<Table>,
}

/// One file of the archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub name: String,
    pub bytes: u64,
    /// In hexadecimal.
    pub sha256: String,
    /// When it was last written, ms; nothing for what the backup itself wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<i64>,
}

impl Manifest {
    /// What it has of one of the databases.
    pub fn database(&self, which: Which) -> Option<&Dump> {
        self.databases.iter().find(|dump| dump.name == which.name())
    }

    /// Rows of a table; 0 when there is no such table.
    pub fn rows(&self, which: Which, table: &str) -> u64 {
        let tables = self.database(which).map_or(&[][..], |dump| &dump.tables);
        tables.iter().find(|one| one.name == table).map_or(0, |table| table.rows)
    }

    /// Files of a folder in the archive.
    pub fn files_in(&self, folder: &str) -> usize {
        let inside = |kept: &&Kept| kept.name.split('/').next() == Some(folder);
        self.files.iter().filter(inside).count()
    }
}

impl Dump {
    /// Where a table's rows lie in the archive.
    pub fn file(database: &str, table: &str) -> String {
        format!("{database}/{table}.copy")
    }
}
