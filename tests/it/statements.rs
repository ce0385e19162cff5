//! What a server asks its databases, overheard, and how they would go about it.

use crate::store::Store;
use diesel::connection::{Instrumentation, InstrumentationEvent, SimpleConnection as _};
use diesel::prelude::*;
use diesel::sql_types::Text;
use hubbub::db::{Access, Conn, Manager, Url, Which};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Statements by the address of the database; only those that somebody listens to.
static HEARD: Mutex<BTreeMap<String, BTreeSet<String>>> = Mutex::new(BTreeMap::new());

fn heard() -> MutexGuard<'static, BTreeMap<String, BTreeSet<String>>> {
    HEARD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Stands beside one connection.
#[derive(Default)]
struct Listener {
    /// The database, if anybody listens to it.
    url: Option<String>,
}

impl Instrumentation for Listener {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartEstablishConnection { url, .. } => {
                self.url = heard().contains_key(url).then(|| url.to_owned());
            }
            InstrumentationEvent::StartQuery { query, .. } => {
                let Some(url) = &self.url else { return };
                let words = query.to_string();
                let statement = words.split(" -- binds: ").next().unwrap_or_default().trim().to_owned();
                heard().entry(url.clone()).or_default().insert(statement);
            }
            _ => {}
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "Diesel asks whether there is one")]
fn listener() -> Option<Box<dyn Instrumentation>> {
    Some(Box::new(Listener::default()))
}

/// As a connection calls its database.
fn address(store: &Store, which: Which) -> String {
    let url = store.url(which);
    url.strip_prefix("sqlite://").map_or(url.clone(), str::to_owned)
}

/// From the next connections on, what is asked of this store's databases is kept.
pub fn listen(store: &Store) {
    diesel::connection::set_default_instrumentation(listener).unwrap();
    for which in [Which::Accounts, Which::Messages] {
        heard().entry(address(store, which)).or_default();
    }
}

#[derive(QueryableByName)]
struct Detail {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    plan: String,
}

/// How a database goes about a statement, one step a line.
pub struct Plan {
    pub statement: String,
    pub steps: Vec<String>,
}

impl Plan {
    /// Whether it walks through a whole table, this one.
    pub fn scans(&self, table: &str) -> bool {
        self.steps.iter().any(|step| {
            // These have what is sought, and nothing else.
            if ["rooms_unindexed", "users_with_picture", "reports_open", "reports_done"]
                .iter()
                .any(|index| step.contains(index))
            {
                return false;
            }
            let words: Vec<&str> = step.split_whitespace().collect();
            let walks = |word: &str| words.first() == Some(&word) && words.get(1) == Some(&table);
            // An index that SQLite makes for one statement is made of the whole table.
            walks("SCAN")
                || walks("SEARCH") && step.contains(" AUTOMATIC ")
                || step.contains("Seq Scan on ") && words.windows(2).any(|pair| pair == ["on", table])
        })
    }
}

/// The plans of all that was heard of a database.
pub fn plans(store: &Store, which: Which) -> Vec<Plan> {
    let url: Url = store.url(which).parse().unwrap();
    let mut conn = Manager { url, which, access: Access::Read }.open().unwrap();
    if let Conn::Postgres(postgres) = &mut conn {
        // There are few rows, which are soonest read whole: what matters is whether it could do otherwise.
        postgres.batch_execute("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan").unwrap();
    }
    let statements = heard().get(&address(store, which)).cloned().unwrap_or_default();
    let asks = |statement: &&String| {
        ["SELECT", "UPDATE", "DELETE", "WITH"].iter().any(|verb| statement.starts_with(verb))
    };
    statements.iter().filter(asks).filter_map(|statement| explain(&mut conn, statement)).collect()
}

/// Nothing where Postgres holds both databases and the statement is about the other one.
fn explain(conn: &mut Conn, statement: &str) -> Option<Plan> {
    let steps = match conn {
        Conn::Sqlite(sqlite) => {
            let rows: Vec<Detail> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}"))
                .load(sqlite)
                .unwrap_or_else(|error| panic!("{statement}: {error}"));
            rows.into_iter().map(|row| row.detail).collect()
        }
        Conn::Postgres(postgres) => {
            let most = (1..100).rev().find(|n| statement.contains(&format!("${n}"))).unwrap_or(0);
            let nothing = vec!["NULL"; most].join(", ");
            let with = if most > 0 { format!("({nothing})") } else { String::new() };
            postgres.batch_execute(&format!("PREPARE heard AS {statement}")).ok()?;
            let rows = diesel::sql_query(format!("EXPLAIN EXECUTE heard {with}")).load::<Line>(postgres);
            postgres.batch_execute("DEALLOCATE heard").unwrap();
            rows.unwrap_or_else(|error| panic!("{statement}: {error}"))
                .into_iter()
                .map(|row| row.plan)
                .collect()
        }
    };
    Some(Plan { statement: statement.to_owned(), steps })
}
