//! Hands each request of a member to the role it is for.
//!
//! The network bounds how many requests of one member are open; each runs on its own until it is answered.

use std::sync::Arc;

use kring_protocol::codec;
use kring_protocol::id::MemberId;
use kring_protocol::relay::{Refusal, Request, Response};
use tokio::sync::mpsc;

use crate::boards::Boards;
use crate::ceremony::Ceremonies;
use crate::core::Core;
use crate::holder::Holder;
use crate::matcher::Matcher;
use crate::network::{Family, Inbound};
use crate::relay::Relay;
use crate::trace::Trace;
use crate::witness::Witness;

/// The roles that answer members.
#[derive(Clone, Debug)]
pub struct Roles {
    /// Keys.
    pub ceremonies: Arc<Ceremonies>,
    /// Evaluations.
    pub holder: Arc<Holder>,
    /// Passing on.
    pub relay: Arc<Relay>,
    /// Intake, on a matcher.
    pub matcher: Option<Arc<Matcher>>,
    /// Boards.
    pub boards: Arc<Boards>,
    /// Comparing what members were shown.
    pub witness: Arc<Witness>,
    /// Complaints and crowds.
    pub trace: Arc<Trace>,
}

impl Roles {
    /// Serves until the network ends or the node stops.
    pub async fn run(self, core: Arc<Core>, mut inbound: mpsc::Receiver<Inbound>) {
        loop {
            let request = tokio::select! {
                request = inbound.recv() => request,
                () = core.stopped() => None,
            };
            let Some(Inbound { from, family, bytes, respond }) = request else { return };
            let roles = self.clone();
            tokio::spawn(async move {
                if let Some(answer) = roles.answer(&from, family, &bytes).await {
                    respond.respond(answer);
                }
            });
        }
    }

    async fn answer(&self, from: &MemberId, family: Family, bytes: &[u8]) -> Option<Vec<u8>> {
        match family {
            Family::Evaluate => Some(self.holder.handle(from, bytes).await),
            Family::Forward => Some(self.forward(from, bytes).await),
            Family::Board => Some(self.boards.handle(bytes).await),
            Family::Ceremony => Some(self.ceremonies.handle(from, bytes)),
            Family::Witness => Some(self.witness.handle(from, bytes).await),
            Family::Trace => Some(self.trace.handle(from, bytes).await),
            // Amendments are not served by this version.
            Family::Covenant => None,
        }
    }

    async fn forward(&self, from: &MemberId, bytes: &[u8]) -> Vec<u8> {
        let response = match (codec::decode::<Request>(bytes), &self.matcher) {
            (Err(_), _) => Response::Refused(Refusal::Malformed),
            (Ok(Request::Forward { matcher, day, items }), _) => {
                self.relay.forward(from, matcher, day, items).await
            }
            (Ok(Request::Relayed { day, items }), Some(matcher)) => matcher.take_in(from, day, items).await,
            (Ok(Request::WeeklyKey), Some(matcher)) => matcher.weekly_keys().await,
            (Ok(Request::Relayed { .. } | Request::WeeklyKey), None) => Response::Refused(Refusal::Path),
        };
        codec::encode(&response)
    }
}
