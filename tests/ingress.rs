//! The real program over real sockets, asked as nobody should ask: strangers, made-up headers, paths out of the house,
//! requests that are two, too large or too slow, and ten thousand connections at once. Nobody else gets in, nothing is
//! shown that was smuggled in, and the job goes on.
//!
//! Where a process may not have 10,000 descriptors it opens fewer, but not by `make torture`. That only one address of a
//! real network gets in is proven in network namespaces by `make package`.

#![expect(clippy::disallowed_types, reason = "the program itself is started, and looked at from outside")]

#[path = "support/program.rs"]
mod program;
#[path = "support/torture.rs"]
mod support;

#[path = "ingress/crowd.rs"]
mod crowd;
#[path = "ingress/forms.rs"]
mod forms;
#[path = "ingress/frames.rs"]
mod frames;
#[path = "ingress/headers.rs"]
mod headers;
#[path = "ingress/house.rs"]
mod house;
#[path = "ingress/large.rs"]
mod large;
#[path = "ingress/methods.rs"]
mod methods;
#[path = "ingress/paths.rs"]
mod paths;
#[path = "ingress/slow.rs"]
mod slow;
#[path = "ingress/sockets.rs"]
mod sockets;
#[path = "ingress/who.rs"]
mod who;
#[path = "ingress/wire.rs"]
mod wire;
