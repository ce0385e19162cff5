//! The part of a stream's actor that looks after its alarms.

use super::api::AlarmObject;
use super::bell::{Bell, News, Ring};
use super::guard::{Guard, Turn};
use super::row::Alarm;
use crate::live::relay::Unit;
use crate::live::sample::Fields;
use crate::live::station::Station;
use crate::live::stream::Stream;
use actix::{AsyncContext as _, Context, Handler, Message};
use std::sync::{Arc, PoisonError};
use std::time::Instant;

/// How often those who watch are told again what stands, ms: one who was behind may have missed it.
const AGAIN: i64 = 20_000;
/// A picture that came so long before the alarm shows nothing of it any more, ms.
const STALE: i64 = 3_600_000;

/// What a station needs for it.
pub struct Sentry {
    guard: Guard,
    bell: Bell,
    /// The beginning of the guard's clock.
    began: Instant,
    /// When what stands was told last, by that clock.
    told: i64,
    /// Rules that are gone while their alarms stand.
    lost: Vec<String>,
}

impl Sentry {
    /// For a stream of which these alarms stand.
    pub fn new(row: &Stream, standing: &[Alarm], bell: Bell) -> Self {
        let open = standing.iter().filter(|alarm| alarm.over_at.is_none());
        let open: Vec<String> = open.map(|alarm| alarm.rule.clone()).collect();
        let guard = Guard::new(row.rules(), row.fields(), row.sampled, &open, 0);
        let rules: Vec<String> = row.rules().iter().map(ToString::to_string).collect();
        let lost = open.into_iter().filter(|rule| !rules.contains(rule)).collect();
        Self { guard, bell, began: Instant::now(), told: 0, lost }
    }

    fn now(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

impl Station {
    /// A sample was taken.
    pub(in crate::live) fn judge(&mut self, fields: &Fields, ctx: &Context<Self>) {
        if self.sentry.guard.has_rules() {
            let now = self.sentry.now();
            let turns = self.sentry.guard.came(now, fields);
            self.ring(turns, ctx);
        }
    }

    /// A piece of video was taken.
    pub(in crate::live) fn judge_film(&mut self, ctx: &Context<Self>) {
        if self.sentry.guard.has_rules() {
            let now = self.sentry.now();
            let turns = self.sentry.guard.filmed(now);
            self.ring(turns, ctx);
        }
    }

    /// Time has passed.
    pub(in crate::live) fn keep_watch(&mut self, ctx: &Context<Self>) {
        let lost = std::mem::take(&mut self.sentry.lost);
        self.ring(lost.into_iter().map(|rule| Turn::Retired { rule }).collect(), ctx);
        if !self.sentry.guard.has_rules() {
            return;
        }
        let now = self.sentry.now();
        let turns = self.sentry.guard.tick(now);
        self.ring(turns, ctx);
        if now - self.sentry.told >= AGAIN {
            self.tell_standing();
        }
    }

    fn ring(&self, turns: Vec<Turn>, ctx: &Context<Self>) {
        for turn in turns {
            let news = match turn {
                Turn::Raised(raised) => News::Raised { raised, shot: self.newest_picture() },
                Turn::Over { rule } => News::Over { rule, retired: false },
                Turn::Retired { rule } => News::Over { rule, retired: true },
                Turn::Sampled => News::Sampled,
            };
            self.sentry.bell.ring(Ring::new(self.stream, ctx.address(), news));
        }
    }

    /// The newest picture, and how many ms ago it came.
    fn newest_picture(&self) -> Option<(Arc<crate::live::ring::Shot>, i64)> {
        let store = self.store.read().unwrap_or_else(PoisonError::into_inner);
        let shot = store.pictures.newest()?.clone();
        let at = store.samples.iter().rev().find(|kept| kept.seq == shot.seq)?.at;
        let age = crate::clock::now_ms() - at;
        (age < STALE).then_some((shot, age))
    }

    /// Tells all who watch what stands.
    fn tell_standing(&mut self) {
        self.sentry.told = self.sentry.now();
        let standing = {
            let store = self.store.read().unwrap_or_else(PoisonError::into_inner);
            store.alarms.clone()
        };
        self.cast(&Arc::new(unit(&standing)));
    }
}

/// What stands, for those who watch. They may be strangers, so nobody's name is in it.
pub fn unit(standing: &[Arc<Alarm>]) -> Unit {
    let json = format!("{{\"type\":\"alarm\",\"alarms\":{}}}", AlarmObject::list(standing, false));
    Unit::news("alarm", &json)
}

/// What stands now, after it has been stored.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Stands(pub Vec<Alarm>);

impl Handler<Stands> for Station {
    type Result = ();

    fn handle(&mut self, Stands(standing): Stands, _: &mut Self::Context) {
        {
            let mut store = self.store.write().unwrap_or_else(PoisonError::into_inner);
            store.alarms = standing.into_iter().map(Arc::new).collect();
        }
        self.tell_standing();
    }
}

/// The stream's row is another one now.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Renewed(pub Arc<Stream>);

impl Handler<Renewed> for Station {
    type Result = ();

    fn handle(&mut self, Renewed(row): Renewed, ctx: &mut Self::Context) {
        let turns = self.sentry.guard.set(row.rules(), row.fields(), row.sampled);
        self.ring(turns, ctx);
    }
}
