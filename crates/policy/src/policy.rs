//! A compiled policy: linted, validated and ready to judge. Cheap to clone.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};

use cedar_policy::{Authorizer, Entities, EntityTypeName, EntityUid};
use jiff::tz::TimeZone;

use quorate_terms::policy::{AssetInfo, PolicyDocument};
use quorate_terms::quorum::Quorum;
use quorate_terms::{AccountId, AssetId, ChainId, Digest, QuorumName, Timestamp};

use crate::checks::comparable;
use crate::form::Rule;
use crate::lint;
use crate::problem::Problem;
use crate::slice::Slices;

/// A policy that passed every lint.
#[derive(Clone)]
pub struct Policy(pub(crate) Arc<Compiled>);

pub(crate) struct Compiled {
    pub(crate) document: PolicyDocument,
    pub(crate) digest: Digest,
    pub(crate) zone: TimeZone,
    pub(crate) rules: Vec<Rule>,
    /// Where each rule stands in `rules`.
    pub(crate) places: BTreeMap<String, usize>,
    pub(crate) quorums: BTreeMap<QuorumName, Quorum>,
    pub(crate) assets: BTreeMap<AssetId, AssetInfo>,
    pub(crate) coins: BTreeMap<ChainId, AssetInfo>,
    /// Refused recipients, in comparable form.
    pub(crate) denied: BTreeSet<AccountId>,
    pub(crate) names: Names,
    pub(crate) authorizer: Authorizer,
    pub(crate) entities: Entities,
    pub(crate) slices: Mutex<Slices>,
}

/// Cedar names, parsed once.
pub(crate) struct Names {
    pub(crate) agent: EntityTypeName,
    pub(crate) person: EntityTypeName,
    pub(crate) wallet: EntityTypeName,
    pub(crate) transfer: EntityUid,
}

impl Names {
    fn new() -> Option<Self> {
        Some(Self {
            agent: "Agent".parse().ok()?,
            person: "Person".parse().ok()?,
            wallet: "Wallet".parse().ok()?,
            transfer: "Action::\"transfer\"".parse().ok()?,
        })
    }
}

impl Policy {
    /// Lints, validates and compiles a document.
    ///
    /// # Errors
    /// Every problem found, sorted, each with its line where it has one and with a mend. Nothing is half loaded.
    pub fn load(document: &PolicyDocument) -> Result<Self, Vec<Problem>> {
        let checked = lint::check(document)?;
        let bug = |why: String| vec![Problem::new("policy", why, "report this")];
        let digest = quorate_terms::Term::digest(document).map_err(|e| bug(e.to_string()))?;
        let names = Names::new().ok_or_else(|| bug("cannot name its own types".to_owned()))?;
        let assets: BTreeMap<_, _> =
            document.assets.iter().map(|info| (info.asset.clone(), info.clone())).collect();
        let coins = assets.values().filter(|info| info.asset.is_native());
        let coins = coins.map(|info| (info.asset.chain(), info.clone())).collect();
        let quorums =
            document.quorums.iter().map(|quorum| (quorum.name.clone(), quorum.clone())).collect();
        Ok(Self(Arc::new(Compiled {
            document: document.clone(),
            digest,
            zone: checked.zone,
            places: places(&checked.rules),
            rules: checked.rules,
            quorums,
            assets,
            coins,
            denied: document.addresses.deny.iter().map(comparable).collect(),
            names,
            authorizer: Authorizer::new(),
            entities: Entities::empty(),
            slices: Mutex::default(),
        })))
    }

    /// The document that it was compiled from.
    pub fn document(&self) -> &PolicyDocument {
        &self.0.document
    }

    /// The document's digest.
    pub fn digest(&self) -> Digest {
        self.0.digest
    }

    /// The quorum of a name.
    pub fn quorum(&self, name: &QuorumName) -> Option<&Quorum> {
        self.0.quorums.get(name)
    }

    /// What people call an asset.
    pub fn asset(&self, asset: &AssetId) -> Option<&AssetInfo> {
        self.0.assets.get(asset)
    }

    /// The coin in which fees are paid on a chain.
    pub fn coin(&self, chain: &ChainId) -> Option<&AssetInfo> {
        self.0.coins.get(chain)
    }

    /// From when a recipient that was listed at `listed_at` may be used.
    pub fn usable_from(&self, listed_at: Timestamp) -> Timestamp {
        listed_at.plus_s(self.0.document.addresses.wait_s)
    }

    /// Whether some rule names this fact. It may name it in a comment; what matters is that no rule weighs it unnamed.
    pub fn weighs(&self, fact: &str) -> bool {
        self.0.document.rules.iter().any(|rule| rule.text.contains(fact))
    }

    /// Every quorum that some rule asks for.
    pub fn quorums_asked_for(&self) -> BTreeSet<QuorumName> {
        let asked = self.0.rules.iter().filter_map(|rule| match &rule.kind {
            crate::form::Kind::Require(name) => Some(name.clone()),
            _ => None,
        });
        asked.collect()
    }
}

fn places(rules: &[Rule]) -> BTreeMap<String, usize> {
    rules.iter().enumerate().map(|(place, rule)| (rule.id.to_string(), place)).collect()
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Policy({}, version {})", self.0.digest.short(), self.0.document.version)
    }
}
