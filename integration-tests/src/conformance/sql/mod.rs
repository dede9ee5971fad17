//! Faults between the operator and PostgreSQL, at every request of every flow.
//!
//! A proxy stands before each server. It bears the server's own certificate, so that it can read what is asked and
//! the operator cannot tell it from the server; [`Lead`] leads the operator there. What the tests themselves ask goes the
//! same way and meets nothing.

mod lead;
mod messages;
mod names;
mod proxy;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use strum::{EnumIter, IntoStaticStr};

pub(super) use lead::Lead;

/// What can happen to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum SqlFault {
    /// The connection is reset before the request reaches PostgreSQL.
    Cut,
    /// PostgreSQL does it, its answer is thrown away, and the connection is reset.
    Lost,
    /// It does not reach PostgreSQL, and there is never an answer.
    Hang,
}

/// One request in a flow: the nth of its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlPoint {
    /// What is asked.
    pub request: String,
    /// Which one of its name, from one.
    pub occurrence: usize,
}

impl SqlPoint {
    /// Whether it changes something in PostgreSQL.
    pub fn changes_something(&self) -> bool {
        names::changes_something(&self.request)
    }

    /// Whether it comes in every run. How often something is only looked at depends on who is faster.
    pub fn comes_always(&self) -> bool {
        self.occurrence == 1 || self.changes_something()
    }
}

/// What the operator has asked of PostgreSQL, and which request meets a fault; by namespace of the server.
#[derive(Clone, Default)]
pub struct SqlFaults(Arc<Mutex<HashMap<String, Script>>>);

#[derive(Default)]
struct Script {
    asked: Vec<String>,
    plan: Option<(SqlPoint, SqlFault)>,
}

impl SqlFaults {
    /// Forgets what was asked and what was planned.
    pub fn forget(&self, namespace: &str) {
        self.lock().remove(namespace);
    }

    /// The request at that point, counted from now on, meets the fault.
    pub fn plan(&self, namespace: &str, point: SqlPoint, fault: SqlFault) {
        let script = Script { asked: Vec::new(), plan: Some((point, fault)) };
        self.lock().insert(namespace.to_owned(), script);
    }

    /// Whether nothing is planned that was not met.
    pub fn is_met(&self, namespace: &str) -> bool {
        self.lock().get(namespace).is_none_or(|script| script.plan.is_none())
    }

    /// What was asked, in its order.
    pub fn asked(&self, namespace: &str) -> Vec<String> {
        self.lock().get(namespace).map(|script| script.asked.clone()).unwrap_or_default()
    }

    /// The operator asks something; the answer is what it meets.
    fn ask(&self, namespace: &str, request: &str) -> Option<SqlFault> {
        let mut all = self.lock();
        let script = all.entry(namespace.to_owned()).or_default();
        script.asked.push(request.to_owned());
        let count = script.asked.iter().filter(|asked| *asked == request).count();
        let is_met =
            |(point, _): &mut (SqlPoint, SqlFault)| point.request == request && count >= point.occurrence;
        script.plan.take_if(is_met).map(|(_, fault)| fault)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Script>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
