//! The boards this node keeps: its own if it is a matcher, and its copies of the others' (`docs/protocol.md`
//! section 6.1). Serves both to readers.
//!
//! Entries are stored in bundles, so that one record holds many and any entry is found by its number.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kring_protocol::board::replication::{
    Accepted, BadPage, DROPPED_MAX, ENTRIES_MAX, Page, Replica, Request, Response, WAIT_MAX_MS, board_name,
    page_after_dropped, sign_head,
};
use kring_protocol::board::{ENTRY_LEN, Entry};
use kring_protocol::id::MemberId;
use kring_protocol::log::merkle::{Frontier, Hash, Tree, leaf_hash};
use kring_protocol::log::note::{Note, NoteKey};
use kring_protocol::log::witness::{Head, LINES_MAX, board_key, cosign, witness_key};
use kring_protocol::time::{Day, Timestamp};
use tokio::sync::watch;

use crate::core::Core;
use crate::store::{Batch, StoreError, Table};

mod dropping;

use dropping::days;

/// Entries of one record. The last bundle is written anew with every append, so it is kept small.
const BUNDLE: u64 = 16;
const BUNDLE_LEN: usize = 16 * ENTRY_LEN;

/// One board.
#[derive(Debug)]
pub struct Board {
    matcher: MemberId,
    state: Mutex<State>,
    /// Entries that are durable: what readers may see.
    size: watch::Sender<u64>,
    /// Entries that the matcher has signed for, as far as this node knows.
    known_size: AtomicU64,
    /// Held by whoever changes what is stored of the board.
    writing: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct State {
    tree: Tree,
    frontier: Frontier,
    /// The last, incomplete bundle.
    open: Vec<u8>,
    /// So many of the first entries are dropped: of them there are only the hashes in the tree. May be ahead of the disk.
    dropped: u64,
    /// How many entries there were on a day by the word of the matcher itself.
    said: BTreeMap<Day, u64>,
    /// A durable, signed checkpoint with its size; none while a reader is between two.
    head: Option<(Note, u64)>,
    /// A signed head that does not continue this board; it may be larger.
    suspect: Option<Head>,
}

impl Board {
    fn load(core: &Core, matcher: &MemberId) -> Result<Self, StoreError> {
        let mut state = State {
            tree: Tree::default(),
            frontier: Frontier::new(),
            open: Vec::new(),
            dropped: 0,
            said: BTreeMap::new(),
            head: None,
            suspect: None,
        };
        for record in core.store.scan(Table::Dropped, &bundle_prefix(matcher)) {
            let (_, hashes) = record?;
            let (leaves, _) = hashes.as_chunks::<{ Hash::LEN }>();
            leaves.iter().for_each(|leaf| state.append(Hash::from_bytes(*leaf)));
        }
        state.dropped = state.tree.size();
        for record in core.store.scan(Table::Bundle, &bundle_prefix(matcher)) {
            let (key, bundle) = record?;
            // Of a bundle that is dropped in part the hashes are there already.
            let known = state.tree.size().saturating_sub(number_of(&key) * BUNDLE);
            let entries = bundle.as_chunks::<ENTRY_LEN>().0.iter();
            entries
                .skip(usize::try_from(known).unwrap_or(usize::MAX))
                .for_each(|entry| state.append(leaf_hash(entry)));
            state.open = if bundle.len() < BUNDLE_LEN { bundle } else { Vec::new() };
        }
        state.said = days(core, matcher)?.iter().filter_map(|row| Some((row.day, row.said?))).collect();
        if let Some(head) = core.store.get(Table::Head, matcher.as_bytes())? {
            let note = std::str::from_utf8(&head).ok().and_then(|text| text.parse().ok());
            state.head = note.map(|note| (note, state.tree.size()));
        }
        let known_size = AtomicU64::new(state.tree.size());
        let size = watch::channel(state.tree.size()).0;
        let writing = tokio::sync::Mutex::default();
        Ok(Self { matcher: matcher.clone(), state: Mutex::new(state), size, known_size, writing })
    }

    /// How many entries are there.
    #[must_use]
    pub fn size(&self) -> u64 {
        *self.size.borrow()
    }

    /// How many entries the matcher has signed for, as far as this node knows.
    #[must_use]
    pub fn known_size(&self) -> u64 {
        self.known_size.load(Ordering::Relaxed).max(self.size())
    }

    /// The matcher has signed for so many entries, as another reader shows.
    pub fn learn_size(&self, size: u64) {
        self.known_size.fetch_max(size, Ordering::Relaxed);
    }

    /// Remembers a head that the matcher signed and that did not continue what is here, until as much was read. The
    /// smallest counts: it is the first to be judged.
    pub fn suspect(&self, core: &Core, checkpoint: &str) {
        let Ok(head) = Head::parse(checkpoint, &self.log_key(core)) else { return };
        let mut state = self.lock();
        if state.suspect.as_ref().is_none_or(|known| head.checkpoint.size < known.checkpoint.size) {
            state.suspect = Some(head);
        }
    }

    /// The head that was remembered, if it has at most `size` entries.
    #[must_use]
    pub fn take_suspect(&self, size: u64) -> Option<Head> {
        self.lock().suspect.take_if(|suspect| suspect.checkpoint.size <= size)
    }

    /// The key that signs this board's heads.
    ///
    /// # Panics
    /// Never: boards are those of the covenant's matchers.
    #[must_use]
    pub fn log_key(&self, core: &Core) -> NoteKey {
        let key = core.verifying_key(&self.matcher).expect("a verified covenant has every matcher's card");
        board_key(&core.network_id(), &self.matcher, key)
    }

    /// The right edge of what is here.
    #[must_use]
    pub fn frontier(&self) -> Frontier {
        self.lock().frontier.clone()
    }

    /// The head of all that is here, where the matcher has cosigned it: when, its size, and its text with the matcher's
    /// two lines alone, as evidence has it.
    #[must_use]
    pub fn timed_head(&self, core: &Core) -> Option<(Timestamp, u64, String)> {
        let (note, size) = self.lock().head.clone()?;
        let key = core.verifying_key(&self.matcher)?;
        let own = witness_key(&core.network_id(), &self.matcher, key);
        let time = note.verify(&own).ok()?.time()?;
        Some((time, size, note.with_lines_of(&[&self.log_key(core), &own]).ok()?.to_string()))
    }

    /// The entries from one number up to another, as far as they are here; nothing where one of them is dropped.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn entries_between(&self, core: &Core, from: u64, to: u64) -> Result<Vec<u8>, StoreError> {
        let entries = self.entries(core, from, to)?;
        // What is dropped stands there as zeros.
        Ok(if self.lock().dropped > from { Vec::new() } else { entries })
    }

    /// Looks into the tree of all entries.
    pub fn with_tree<T>(&self, look: impl FnOnce(&Tree) -> T) -> T {
        look(&self.lock().tree)
    }

    /// The head of what is here, and its text for other readers: with the lines of matcher and this node alone.
    #[must_use]
    pub fn shown_head(&self, core: &Core) -> Option<(Head, String)> {
        let (note, _) = self.lock().head.clone()?;
        let log = self.log_key(core);
        let own = witness_key(&core.network_id(), &core.me, core.identity.signing.verifying_key());
        let short = note.with_lines_of(&[&log, &own]).or_else(|_| note.with_lines_of(&[&log])).ok()?;
        Some((Head::verify(note, &log).ok()?, short.to_string()))
    }

    /// Cosigns the head as a witness. False when there is nothing new to cosign; the own board's head is cosigned each
    /// time, because it tells the time.
    #[must_use]
    pub fn cosign(&self, core: &Core, now: Timestamp) -> bool {
        let key = &core.identity.signing;
        let network = core.network_id();
        let own = witness_key(&network, &core.me, key.verifying_key());
        let mut state = self.lock();
        let Some((note, size)) = state.head.clone() else { return false };
        if self.matcher != core.me && note.verify(&own).is_ok() {
            return false;
        }
        let Ok(mut head) = Head::verify(note, &self.log_key(core)) else { return false };
        let cosigned = cosign(&mut head, &state.tree, now, (&network, &core.me), key).is_ok();
        state.head = Some((head.note, size));
        cosigned
    }

    /// Takes over another reader's cosignature of the very head that is here.
    pub fn take_cosignature(&self, core: &Core, theirs: &Head, reader: &MemberId) {
        let Some(key) = core.verifying_key(reader) else { return };
        let key = witness_key(&core.network_id(), reader, key);
        if let Some((note, _)) = &mut self.lock().head
            && note.signatures() < LINES_MAX
        {
            // Another head, or a head that this reader has not cosigned: nothing to take.
            let _ = note.take_signature(&theirs.note, &key);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while holding a board")
    }

    /// Appends to this node's own board and signs the new head. `durable` stores the batch; readers see entries and head
    /// only after it, so that no head is ever signed twice for one size.
    ///
    /// # Errors
    /// Those of `durable`; the node must stop then, because memory is ahead of the disk.
    pub async fn append<F: Future<Output = Result<(), StoreError>>>(
        &self,
        core: &Core,
        entries: &[Entry],
        mut batch: Batch,
        durable: impl FnOnce(Batch) -> F,
    ) -> Result<(), StoreError> {
        let _writing = self.writing.lock().await;
        let head = {
            let mut state = self.lock();
            state.extend(&self.matcher, &[], entries, &mut batch);
            let name = board_name(&core.network_id(), &self.matcher);
            sign_head(&state.tree, &name, &core.identity.signing)
        };
        let said = self.with_tree(Tree::size);
        self.publish(core, Some(head), Some(said), batch, durable).await
    }

    /// Checks a page that continues this copy. The caller stores the result with [`Self::take`].
    ///
    /// # Errors
    /// [`BadPage`].
    pub fn check(&self, core: &Core, page: &Page) -> Result<Checked, BadPage> {
        let Some(key) = core.verifying_key(&self.matcher) else { return Err(BadPage::NotNext) };
        let name = board_name(&core.network_id(), &self.matcher);
        let replica = Replica::new(name, key, self.lock().frontier.clone());
        let hashes = page.from.saturating_add((page.dropped.0.len() / Hash::LEN) as u64);
        let Accepted { dropped, entries, replica: after, checkpoint } =
            replica.accept(page, self.may_be_dropped(core, hashes))?;
        let complete = after.frontier().size() == checkpoint.size;
        let head = if complete { page.checkpoint.parse().ok() } else { None };
        self.known_size.fetch_max(checkpoint.size, Ordering::Relaxed);
        Ok(Checked { dropped, entries, head, size: checkpoint.size })
    }

    /// Takes in a checked page, as [`Self::append`] does for the own board; with whether it came from the matcher itself.
    ///
    /// # Errors
    /// Those of `durable`.
    pub async fn take<F: Future<Output = Result<(), StoreError>>>(
        &self,
        core: &Core,
        (checked, by_matcher): (Checked, bool),
        mut batch: Batch,
        durable: impl FnOnce(Batch) -> F,
    ) -> Result<(), StoreError> {
        let _writing = self.writing.lock().await;
        if !checked.dropped.is_empty() {
            // What came before is over as well: dropped entries are always the first.
            self.drop_entries(core, u64::MAX).await?;
        }
        self.lock().extend(&self.matcher, &checked.dropped, &checked.entries, &mut batch);
        let said = by_matcher.then_some(checked.size);
        self.publish(core, checked.head, said, batch, durable).await
    }

    async fn publish<F: Future<Output = Result<(), StoreError>>>(
        &self,
        core: &Core,
        head: Option<Note>,
        said: Option<u64>,
        mut batch: Batch,
        durable: impl FnOnce(Batch) -> F,
    ) -> Result<(), StoreError> {
        self.read_today(core, said, &mut batch);
        match &head {
            Some(head) => batch.put(Table::Head, self.matcher.as_bytes(), head.to_string().into_bytes()),
            None => batch.delete(Table::Head, self.matcher.as_bytes()),
        }
        durable(batch).await?;
        let size = {
            let mut state = self.lock();
            let size = state.tree.size();
            state.head = head.map(|head| (head, size));
            size
        };
        self.size.send_replace(size);
        Ok(())
    }

    /// What a reader at `from` gets, waiting for something new if it asks to.
    async fn read(&self, core: &Core, from: u64, wait_ms: u32) -> Result<Response, StoreError> {
        let wait = Duration::from_millis(wait_ms.min(WAIT_MAX_MS).into());
        let mut size = self.size.subscribe();
        let new = tokio::select! {
            new = tokio::time::timeout(wait, size.wait_for(|size| *size > from)) => matches!(new, Ok(Ok(_))),
            () = core.stopped() => false,
        };
        if !new && *self.size.borrow() <= from {
            return Ok(Response::Nothing);
        }
        let durable_size = *self.size.borrow();
        loop {
            let dropped = self.lock().dropped;
            let hashes = dropped.min(durable_size).saturating_sub(from).min(DROPPED_MAX as u64);
            let after = from + hashes;
            let entries = if after < dropped { Vec::new() } else { self.entries(core, after, durable_size)? };
            let state = self.lock();
            if state.dropped != dropped {
                continue;
            }
            let page = state.head.as_ref().and_then(|(head, size)| {
                page_after_dropped(&state.tree, head, *size, (from, hashes), &entries)
            });
            return Ok(page.map_or(Response::Nothing, |page| Response::Entries(Box::new(page))));
        }
    }

    fn entries(&self, core: &Core, from: u64, size: u64) -> Result<Vec<u8>, StoreError> {
        let to = size.min(from + ENTRIES_MAX as u64);
        let mut entries = Vec::new();
        for number in from / BUNDLE..to.div_ceil(BUNDLE) {
            let bundle =
                core.store.get(Table::Bundle, &bundle_key(&self.matcher, number))?.unwrap_or_default();
            let start = number * BUNDLE;
            let place =
                |index: u64| usize::try_from(index - start).unwrap_or(usize::MAX).saturating_mul(ENTRY_LEN);
            let range = place(from.max(start))..place(to.min(start + BUNDLE)).min(bundle.len());
            entries.extend_from_slice(bundle.get(range).unwrap_or_default());
        }
        Ok(entries)
    }
}

impl State {
    fn append(&mut self, leaf: Hash) {
        self.tree.append(leaf);
        self.frontier.append(leaf);
    }

    /// Appends entries, and writes every bundle that changes. Of the first ones there may be only hashes; then all
    /// before them are dropped.
    fn extend(&mut self, matcher: &MemberId, dropped: &[Hash], entries: &[Entry], batch: &mut Batch) {
        let old = self.tree.size();
        let first = old / BUNDLE;
        let mut bytes = std::mem::take(&mut self.open);
        dropped.iter().for_each(|leaf| self.append(*leaf));
        bytes.resize(bytes.len() + dropped.len() * ENTRY_LEN, 0);
        for entry in entries {
            let entry = entry.to_bytes();
            self.append(leaf_hash(&entry));
            bytes.extend_from_slice(&entry);
        }
        for (number, bundle) in (first..).zip(bytes.chunks(BUNDLE_LEN)) {
            batch.put(Table::Bundle, bundle_key(matcher, number), bundle);
        }
        self.open = bytes.split_off(bytes.len() - bytes.len() % BUNDLE_LEN);
        if !dropped.is_empty() {
            self.put_dropped(matcher, old, old + dropped.len() as u64, batch);
        }
    }

    /// From now on there are only hashes of the entries before `to`, as there were before `from`. Bundles that are
    /// dropped as a whole are removed.
    fn put_dropped(&mut self, matcher: &MemberId, from: u64, to: u64, batch: &mut Batch) {
        self.dropped = to;
        for number in from / BUNDLE..to.div_ceil(BUNDLE) {
            let (start, end) = (number * BUNDLE, (number + 1) * BUNDLE);
            let place = |index: u64| usize::try_from(index).unwrap_or(usize::MAX);
            let leaves = self.tree.leaves().get(place(start)..place(end.min(to))).unwrap_or_default();
            let hashes: Vec<u8> = leaves.iter().flat_map(|leaf| *leaf.as_bytes()).collect();
            batch.put(Table::Dropped, bundle_key(matcher, number), hashes);
            if end <= to {
                batch.delete(Table::Bundle, bundle_key(matcher, number));
            }
        }
    }
}

/// A page that was checked against this node's copy.
#[derive(Debug)]
pub struct Checked {
    /// Hashes of those at its beginning that are over and were dropped.
    pub dropped: Vec<Hash>,
    /// Its entries.
    pub entries: Vec<Entry>,
    head: Option<Note>,
    /// How many there are by the head that the matcher signed.
    size: u64,
}

/// All boards of the network, as far as this node has them.
#[derive(Debug)]
pub struct Boards {
    core: Arc<Core>,
    boards: BTreeMap<MemberId, Board>,
}

impl Boards {
    /// With what is in the store.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn load(core: Arc<Core>) -> Result<Self, StoreError> {
        let load = |matcher: &MemberId| Ok((matcher.clone(), Board::load(&core, matcher)?));
        let boards = core.covenant.matchers.iter().map(load).collect::<Result<_, StoreError>>()?;
        Ok(Self { core, boards })
    }

    /// One matcher's board.
    #[must_use]
    pub fn get(&self, matcher: &MemberId) -> Option<&Board> {
        self.boards.get(matcher)
    }

    /// How many boards have a signed head that does not continue them.
    #[must_use]
    pub fn suspects(&self) -> u64 {
        self.boards.values().filter(|board| board.lock().suspect.is_some()).count() as u64
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&MemberId, &Board)> {
        self.boards.iter()
    }

    /// Drops the entries of all boards that concern nobody any more, and gives their space back.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn expire(&self) -> Result<(), StoreError> {
        let mut dropped = 0;
        for board in self.boards.values() {
            dropped += board.drop_over(&self.core).await?;
        }
        match dropped {
            0 => Ok(()),
            _ => self.core.store.reclaim().await,
        }
    }

    /// Answers one request of `/kring/board/1`.
    pub async fn handle(&self, bytes: &[u8]) -> Vec<u8> {
        use kring_protocol::codec::{decode, encode};
        let Ok(Request::Read { matcher, from, wait_ms }) = decode(bytes) else {
            return encode(&Response::Malformed);
        };
        let Some(board) = self.boards.get(&matcher) else { return encode(&Response::Nothing) };
        encode(&board.read(&self.core, from, wait_ms).await.unwrap_or(Response::Nothing))
    }
}

/// The number at the end of a bundle's key.
fn number_of(key: &[u8]) -> u64 {
    key.last_chunk().map_or(0, |number| u64::from_be_bytes(*number))
}

fn bundle_prefix(matcher: &MemberId) -> Vec<u8> {
    [matcher.as_bytes(), b"/"].concat()
}

fn bundle_key(matcher: &MemberId, number: u64) -> Vec<u8> {
    [bundle_prefix(matcher).as_slice(), &number.to_be_bytes()].concat()
}
