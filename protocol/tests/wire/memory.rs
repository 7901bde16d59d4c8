//! How much memory foreign bytes can make a receiver take before they are refused or read.

#![allow(unsafe_code, reason = "an allocator that counts has no other form")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use crate::items::{Item, items, short_head};
use crate::negative::vectors;
use crate::samples::{Sample, samples};

/// The system's allocator, counting what each thread holds.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    HELD.set(HELD.get() + bytes);
    MOST.set(MOST.get().max(HELD.get()));
}

// SAFETY: every call goes to the system's allocator as it came. `realloc` is made of these two, so it counts too.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size().cast_signed());
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, bytes: *mut u8, layout: Layout) {
        count(-layout.size().cast_signed());
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(bytes, layout) }
    }
}

/// The most bytes that `work` held at once.
fn most_held(work: impl FnOnce()) -> usize {
    let before = HELD.get();
    MOST.set(before);
    work();
    usize::try_from(MOST.get() - before).unwrap()
}

/// What is refused for its form takes next to nothing, whatever lengths it announces.
#[test]
fn refused_vectors_take_little_memory() {
    assert!(most_held(|| drop(vec![0_u8; 1 << 20])) >= 1 << 20, "it counts");
    for vector in vectors().refused {
        let bytes = vector.bytes();
        let held = most_held(|| assert!(vector.decode(&bytes).is_err(), "{}", vector.name));
        assert!(held <= 16 << 10, "{}: {held} bytes", vector.name);
    }
}

/// The encoding with a list of as many `content`s in the place of `list` as the type's limit allows.
fn filled(sample: &Sample, list: &Item, content: &[u8]) -> Vec<u8> {
    let around = sample.bytes.len() - list.range.len() + 5;
    let count = sample.limit.saturating_sub(around) / content.len();
    let (before, after) = (&sample.bytes[..list.range.start], &sample.bytes[list.range.end..]);
    [before, &short_head(4, count as u64), &content.repeat(count), after].concat()
}

/// A megabyte for each list that is open at once, which serde sets aside at most, and what short items grow to.
#[test]
fn the_longest_lists_take_memory_in_proportion() {
    for sample in samples() {
        for list in items(&sample.bytes).iter().filter(|item| item.major == 4) {
            let first = list.inside.first().map(|first| sample.bytes[first.clone()].to_vec());
            for content in [vec![0xf6], vec![0x60], b"\x61a".to_vec(), vec![0x80]].into_iter().chain(first) {
                let bytes = filled(&sample, list, &content);
                let held = most_held(|| _ = (sample.reads)(&bytes));
                assert!(
                    held <= (2 << 20) + 64 * bytes.len(),
                    "{}: {held} bytes for {}",
                    sample.name,
                    bytes.len()
                );
            }
        }
    }
}
