//! The HTTP door, each MUST and each row of the fault matrix as a test.
#![cfg(test)]

#[path = "../app/mod.rs"]
mod app;
#[path = "../common/mod.rs"]
mod common;

mod gate;
mod protocol;
mod tools;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use app::*;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use common::{FakeDesk, INJECTION};
use quorate_gateway::bands::Table;
use quorate_gateway::desk::{Alarm, Desk, Progress};
use quorate_gateway::door::Door;
use quorate_gateway::errors::Code;
use quorate_gateway::http::{Allowed, Limits, listen_check};
use quorate_gateway::limit::Rate;
use quorate_gateway::question::Question;
use quorate_terms::credential::Band;
use serde_json::{Value, json};
