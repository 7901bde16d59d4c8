//! The key ceremony, driven by a list of operations: whoever finishes has the same keys as all others, and as long as
//! nobody alters anything, nobody is accused and everyone finishes, wherever nodes stop and in whatever order they speak.

#![no_main]

use kring_fuzz::keys::{HOLDERS, Net};
use kring_fuzz::{operations, seeds};
use kring_protocol::codec::decode;
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
enum Op {
    /// One asks another.
    Poll { from: u8, to: u8 },
    /// One does what follows from what it heard: it stores, above all.
    CarryOut(u8),
    /// Everyone asks everyone, and does what follows at once or not yet.
    Round { at_once: bool },
    /// As before, with a bit of the answer flipped on the way.
    Altered { from: u8, to: u8, bit: u16 },
    /// One hears again what another said to anyone before.
    Replay { node: u8, from: u8, which: u8 },
    /// One asks another and puts what it hears aside.
    Record { from: u8, to: u8 },
    /// One stops and starts with what it has stored.
    Restart(u8),
}

fn run(honest: bool, ops: &[Op]) {
    let mut net = Net::new();
    let mut heard = Vec::new();
    let place = |number: u8| usize::from(number) % HOLDERS.len();
    for op in ops.iter().take(40) {
        match *op {
            Op::Poll { from, to } if place(from) != place(to) => {
                let response = decode(&net.ask(place(from), place(to))).expect("what is said can be read");
                net.hear(place(from), place(to), response);
            }
            Op::Altered { from, to, bit } if !honest && place(from) != place(to) => {
                let mut bytes = net.ask(place(from), place(to));
                let bit = usize::from(bit) % (bytes.len() * 8);
                bytes[bit / 8] ^= 1 << (bit % 8);
                if let Ok(response) = decode(&bytes) {
                    net.hear(place(from), place(to), response);
                }
            }
            Op::Record { from, to } if place(from) != place(to) => {
                heard.push(net.ask(place(from), place(to)))
            }
            Op::Replay { node, from, which } if !honest && !heard.is_empty() => {
                let response = decode(&heard[usize::from(which) % heard.len()]).unwrap();
                net.hear(place(node), place(from), response);
            }
            Op::CarryOut(node) => net.carry_out(place(node)),
            Op::Round { at_once } => net.round(at_once),
            Op::Restart(node) => net.restart(place(node)),
            _ => {}
        }
    }
    if honest {
        net.run();
        assert!(net.aborts.iter().all(Option::is_none), "{:?}", net.aborts);
        assert!(net.outcomes.iter().all(Option::is_some), "{:?}", net.nodes);
    }
    net.check();
}

fuzz_target!(init: seeds(operations), |input: (bool, Vec<Op>)| run(input.0, &input.1));
