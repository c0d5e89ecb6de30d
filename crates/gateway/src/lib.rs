//! The desk's doors: MCP over stdio and over streamable HTTP, the HTTP API, and the console in a browser.
//!
//! A door reads outside bytes, knows who is asking, checks the question's form, asks the desk, and says the answer.
//! It holds no key, touches no disk, judges nothing and approves nothing: approval and administration are not tools.
//!
//! Reading order: what can be asked and answered ([`desk`], [`question`], [`answer`], [`errors`]), which credential
//! may ask what ([`tools`], [`bands`]), what people ask ([`office`], [`shapes`]) and see ([`console`]), the one handler
//! behind both transports ([`door`]), and the transports ([`strict`], [`limit`], [`stdio`], [`http`], [`api`]).

pub mod answer;
pub mod desk;
pub mod errors;
pub mod question;

pub mod bands;
pub mod tools;

pub mod office;
pub mod proposal;
pub mod shapes;

pub mod console;

pub mod door;

pub mod api;
pub mod http;
pub mod limit;
pub mod stdio;
pub mod strict;
pub mod tokens;
