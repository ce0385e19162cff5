//! What a batch of changes comes to once it is committed, or wasn't: facts and replies for everybody, answers to those who wait.

use super::change::{Asker, Change, Committed, Fact, Outcome, Request};
use super::unread::ReadMarks;
use crate::db::Failed;
use crate::error::Result;

/// Turns a settled batch into facts and replies, publishes them, then answers the calls.
pub fn settle(
    batch: Vec<Change>,
    outcome: &Result<(), Failed>,
    marks: &ReadMarks,
    publish: &mut dyn FnMut(Committed),
) {
    let mut committed = Committed::default();
    let mut calls = Vec::new();
    let mut tasks = Vec::new();
    for change in batch {
        let (result, facts) = match (outcome, change.done) {
            (Ok(()), Some(done)) => done,
            (Ok(()), None) => (Ok(Outcome::Stored), Vec::new()),
            (Err(failed), _) => (Err(failed.answer()), Vec::new()),
        };
        for fact in &facts {
            match fact {
                // Writing marks what one has written oneself as read.
                Fact::Message(m) if m.rev == m.first_rev => marks.set(m.user, m.room, m.seq, false),
                Fact::Left { user, room, .. } => marks.forget(*user, *room),
                _ => {}
            }
        }
        committed.facts.extend(facts);
        match change.request {
            Request::StoreReadMarks(written) if outcome.is_ok() => marks.written(&written),
            Request::Task(task) => tasks.push(task),
            _ => {}
        }
        match change.asker {
            Asker::Nobody => {}
            Asker::Call(answer) => calls.push((answer, result)),
            Asker::Connection(origin) => committed.replies.push((origin, result)),
        }
    }
    if !committed.facts.is_empty() || !committed.replies.is_empty() {
        publish(committed);
    }
    for (answer, result) in calls {
        // Nobody listens any more when the asker has gone; the change stands all the same.
        let _ = answer.send(result);
    }
    for task in tasks {
        task.settle(outcome);
    }
}
