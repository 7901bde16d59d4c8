//! Compares with other members what they and this node were shown: heads of boards between readers, heads of request
//! chains between key holders (`docs/protocol.md` section 7.4). Two that were shown different things know after one
//! exchange, and keep the proof.
//!
//! The rules themselves are `kring_protocol::log::witness` and `kring_protocol::evaluation`.

use std::sync::Arc;
use std::time::Duration;

use kring_protocol::codec;
use kring_protocol::evaluation::{
    Comparison, Fraud, SignedHeader, VerifiedHeader, compare as compare_chains,
};
use kring_protocol::evidence::{Continues, LogOf, ServedTwice, Violation};
use kring_protocol::id::{Epoch, MemberId};
use kring_protocol::log::entry::Kind;
use kring_protocol::log::witness::message::{CHAINS_MAX, Request, Response};
use kring_protocol::log::witness::{Compared, Head, compare, continues};
use kring_protocol::tempo::Next;

use crate::boards::{Board, Boards};
use crate::core::Core;
use crate::evidence::keep;
use crate::holder::Holder;
use crate::keys::Keyring;
use crate::matcher::Matcher;
use crate::network::Family;
use crate::store::{Batch, StoreError};

/// Between two exchanges at the immediate tempo, where one that would compare nothing new is left out.
const AT_ONCE: Duration = Duration::from_secs(1);
/// At the immediate tempo: after an exchange that did not reach all, so many are left out before the next.
const LEFT_OUT_MAX: u32 = 10;

/// The exchange of this node.
#[derive(Debug)]
pub struct Witness {
    core: Arc<Core>,
    keyring: Arc<Keyring>,
    holder: Arc<Holder>,
    boards: Arc<Boards>,
    matcher: Option<Arc<Matcher>>,
}

impl Witness {
    /// The exchange.
    #[must_use]
    pub fn new(
        core: Arc<Core>,
        keyring: Arc<Keyring>,
        holder: Arc<Holder>,
        boards: Arc<Boards>,
        matcher: Option<Arc<Matcher>>,
    ) -> Self {
        Self { core, keyring, holder, boards, matcher }
    }

    /// Exchanges until the node stops: at fixed moments, or soon after every change.
    pub async fn run(self: Arc<Self>) {
        while let Next::At(moment) = self.core.pace.next_comparison(self.core.now()) {
            if !self.core.until(moment).await {
                return;
            }
            if let Err(error) = self.round().await {
                self.core.fail(error.to_string());
            }
        }
        self.follow().await;
    }

    /// Exchanges whenever there is something new to compare.
    async fn follow(&self) {
        let mut compared = None;
        let (mut whole, mut left_out) = (true, 0);
        loop {
            self.core.pause(AT_ONCE).await;
            if self.core.is_stopping() {
                return;
            }
            let now = self.extent();
            if compared.as_ref() == Some(&now) && left_out < LEFT_OUT_MAX {
                left_out += u32::from(!whole);
                continue;
            }
            (compared, left_out) = (Some(now), 0);
            match self.round().await {
                Ok(all) => whole = all,
                Err(error) => self.core.fail(error.to_string()),
            }
        }
    }

    /// How much there is to compare: sizes of boards, and how many headers were entered since the start.
    fn extent(&self) -> Vec<u64> {
        let boards = self.boards.iter().map(|(_, board)| board.size());
        boards.chain([self.holder.entered(), self.boards.suspects()]).collect()
    }

    /// Compares with every member that can be reached. False when one could not be.
    async fn round(&self) -> Result<bool, StoreError> {
        let cosigned = self.cosign().await?;
        self.judge_suspects().await?;
        let peers = self.core.network.reachable();
        let all = peers.iter().all(|(_, connected)| *connected);
        let connected = peers.into_iter().filter(|(_, connected)| *connected);
        let exchanges = connected.map(|(peer, _)| async move {
            let chains = self.compare_chains_with(&peer).await?;
            Ok::<_, StoreError>(self.compare_boards_with(&peer).await? && chains)
        });
        let whole = futures::future::try_join_all(exchanges).await?;
        let events = vec![self.core.event(Kind::Witness, None, cosigned)];
        if cosigned > 0 {
            self.core.commit(Batch::new(), events).await?;
        }
        Ok(all && whole.into_iter().all(|whole| whole))
    }

    /// Cosigns the heads of what this node has read; its own board's head too, which says when, if nothing is due.
    async fn cosign(&self) -> Result<u64, StoreError> {
        let own = match &self.matcher {
            Some(matcher) => matcher.time_head().await?,
            None => false,
        };
        let now = self.core.now();
        let others = self.boards.iter().filter(|(matcher, _)| **matcher != self.core.me);
        let cosigned = others.filter(|(_, board)| board.cosign(&self.core, now)).count() as u64;
        Ok(cosigned + u64::from(own))
    }

    async fn ask(&self, peer: &MemberId, request: &Request) -> Option<Response> {
        let asked = self.core.network.request(peer, Family::Witness, codec::encode(request));
        codec::decode(&asked.await.ok()?).ok()
    }

    // Request chains, between key holders.

    async fn compare_chains_with(&self, peer: &MemberId) -> Result<bool, StoreError> {
        let holders = &self.core.covenant.key_holders;
        if !holders.contains(&self.core.me) || !holders.contains(peer) {
            return Ok(true);
        }
        for keys in self.keyring.all() {
            let epoch = keys.terms.epoch;
            let mut after = None;
            // No member has more chains than there are members, whatever a peer says.
            for _ in 0..=self.core.covenant.members.len() {
                let request = Request::Chains { epoch, after: after.clone() };
                let Some(Response::Chains(heads)) = self.ask(peer, &request).await else { return Ok(false) };
                let Some(last) = heads.last().map(|head| head.header.member.clone()) else { break };
                if after.as_ref().is_some_and(|after| last <= *after) {
                    return Ok(false);
                }
                for head in heads {
                    self.compare_chain(peer, epoch, head).await?;
                }
                after = Some(last);
            }
        }
        Ok(true)
    }

    async fn compare_chain(
        &self,
        peer: &MemberId,
        epoch: Epoch,
        head: SignedHeader,
    ) -> Result<(), StoreError> {
        let Some(mut theirs) = self.verified(epoch, head) else { return Ok(()) };
        let member = theirs.header().member.clone();
        let Some(own) = self.holder.last(epoch, &member).await else { return Ok(()) };
        if theirs.header().seq > own.header.seq {
            // Chains are linked by hashes: what is equal at our end is equal before it.
            let request = Request::Header { epoch, member: member.clone(), seq: own.header.seq };
            let Some(Response::Header(header)) = self.ask(peer, &request).await else { return Ok(()) };
            match self.verified(epoch, *header).filter(|header| header.header().seq == own.header.seq) {
                Some(header) if header.header().member == member => theirs = header,
                _ => return Ok(()),
            }
        }
        let known = |seq| self.holder.header(epoch, &member, seq);
        match compare_chains(&theirs, known) {
            Comparison::Fraud(fraud) => {
                keep(&self.core, Violation::Headers(sorted(fraud))).await?;
                self.name_helpers(peer, epoch, member).await
            }
            Comparison::Same | Comparison::Ahead => Ok(()),
        }
    }

    /// Keeps proof against the key holders that acknowledged both sides of a fork.
    async fn name_helpers(&self, peer: &MemberId, epoch: Epoch, member: MemberId) -> Result<(), StoreError> {
        let Some(own) = self.holder.vouched(epoch, &member) else { return Ok(()) };
        let request = Request::Vouched { epoch, member: member.clone() };
        let Some(Response::Vouched(theirs)) = self.ask(peer, &request).await else { return Ok(()) };
        let helpers = tokio::task::block_in_place(|| {
            let known = |seq| self.holder.header(epoch, &member, seq);
            ServedTwice::helpers(&own, &theirs, known, |holder| self.core.verifying_key(holder))
        });
        for helper in helpers {
            keep(&self.core, Violation::ServedTwice(Box::new(helper))).await?;
        }
        Ok(())
    }

    fn verified(&self, epoch: Epoch, header: SignedHeader) -> Option<VerifiedHeader> {
        let key = self.core.verifying_key(&header.header.member)?;
        let ours = header.header.network == self.core.network_id() && header.header.epoch == epoch;
        header.verify(&key).ok().filter(|_| ours)
    }

    // Boards, between readers.

    async fn compare_boards_with(&self, peer: &MemberId) -> Result<bool, StoreError> {
        let mut whole = true;
        for (matcher, board) in self.boards.iter() {
            let Some((head, text)) = board.shown_head(&self.core) else { continue };
            let request = Request::Board { matcher: matcher.clone(), checkpoint: text };
            match self.ask(peer, &request).await {
                Some(Response::Board { checkpoint, continues }) => {
                    let Ok(theirs) = Head::parse(&checkpoint, &board.log_key(&self.core)) else { continue };
                    board.take_cosignature(&self.core, &theirs, peer);
                    self.judge((matcher, board), &head, &theirs, continues).await?;
                }
                Some(Response::Nothing) => {}
                _ => whole = false,
            }
        }
        Ok(whole)
    }

    /// Compares another head with the own one, and keeps what it proves.
    async fn judge(
        &self,
        (matcher, board): (&MemberId, &Board),
        own: &Head,
        theirs: &Head,
        shown: Option<Continues>,
    ) -> Result<(), StoreError> {
        let (log, key) = (LogOf::Board(matcher.clone()), board.log_key(&self.core));
        match board.with_tree(|tree| compare((&log, &key), (tree, own), theirs, shown)) {
            Compared::Agree | Compared::Unproven => Ok(()),
            Compared::Behind(size) => {
                board.learn_size(size);
                Ok(())
            }
            Compared::Fork(fork) => keep(&self.core, Violation::Fork(fork)).await,
        }
    }

    /// Judges heads that matchers signed and that did not continue what was read, once as much was read.
    async fn judge_suspects(&self) -> Result<(), StoreError> {
        for (matcher, board) in self.boards.iter() {
            if let Some((own, _)) = board.shown_head(&self.core)
                && let Some(suspect) = board.take_suspect(own.checkpoint.size)
            {
                self.judge((matcher, board), &own, &suspect, None).await?;
            }
        }
        Ok(())
    }

    // Serving.

    /// Answers one request of `/kring/witness/1`.
    pub async fn handle(&self, from: &MemberId, bytes: &[u8]) -> Vec<u8> {
        let response = match codec::decode(bytes) {
            Err(_) => Response::Malformed,
            Ok(request) => self.respond(from, request).await,
        };
        codec::encode(&response)
    }

    async fn respond(&self, from: &MemberId, request: Request) -> Response {
        match request {
            Request::Chains { epoch, after } => {
                Response::Chains(self.holder.heads(epoch, after.as_ref(), CHAINS_MAX).await)
            }
            Request::Header { epoch, member, seq } => {
                let header = self.holder.header(epoch, &member, seq);
                header.map_or(Response::Nothing, |header| Response::Header(Box::new(header)))
            }
            Request::Vouched { epoch, member } => {
                let vouched = self.holder.vouched(epoch, &member);
                vouched.map_or(Response::Nothing, |vouched| Response::Vouched(Box::new(vouched)))
            }
            Request::Board { matcher, checkpoint } => {
                self.board(from, &matcher, &checkpoint).await.unwrap_or(Response::Nothing)
            }
        }
    }

    async fn board(&self, from: &MemberId, matcher: &MemberId, checkpoint: &str) -> Option<Response> {
        let board = self.boards.get(matcher)?;
        let theirs = Head::parse(checkpoint, &board.log_key(&self.core)).ok()?;
        board.take_cosignature(&self.core, &theirs, from);
        let Some((own, text)) = board.shown_head(&self.core) else {
            // Nothing to compare, but the matcher has signed for so much.
            board.learn_size(theirs.checkpoint.size);
            return None;
        };
        // The asker learns that its head is not of this board; so does this node.
        if theirs.checkpoint.size <= own.checkpoint.size {
            self.judge((matcher, board), &own, &theirs, None).await.ok()?;
        }
        let (smaller, larger) = (theirs.checkpoint.size, own.checkpoint.size);
        let shown = board.with_tree(|tree| continues(tree, smaller, larger)).filter(|_| smaller < larger);
        Some(Response::Board { checkpoint: text, continues: shown })
    }
}

/// One order, whoever saw which header first.
fn sorted(fraud: Box<Fraud>) -> Box<Fraud> {
    let Fraud { known, other } = *fraud;
    let (known, other) =
        if known.header.hash() <= other.header.hash() { (known, other) } else { (other, known) };
    Box::new(Fraud { known, other })
}
