//! How high each chain is, as its node said when it was last asked. Whoever looks reads what is known here, so that no page
//! waits for a node that is slow or gone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use quorate_terms::ChainId;

use super::chain::Chain;
use super::effects::World;

/// The number of the newest block, or why it is not known.
type Height = Result<u64, String>;

/// See the module.
#[derive(Default)]
pub struct Heights(Mutex<BTreeMap<ChainId, Height>>);

impl Heights {
    fn set(&self, chain: &ChainId, height: &Height) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(chain.clone(), height.clone());
    }

    fn get(&self, chain: &ChainId) -> Option<Height> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(chain).cloned()
    }
}

async fn ask(chain: &Chain) -> Height {
    chain.height().await.map_err(|upset| upset.to_string())
}

impl World {
    /// Asks every node again and again, each on a task of its own.
    pub fn look_at_chains(self: &Arc<Self>) {
        for (id, chain) in self.chains.iter() {
            let (world, id, chain) = (Arc::clone(self), id.clone(), Arc::clone(chain));
            tokio::spawn(async move {
                loop {
                    world.heights.set(&id, &ask(&chain).await);
                    tokio::time::sleep(world.poll).await;
                }
            });
        }
    }

    /// How high each chain is. A node is asked here only while nothing is known of it.
    pub async fn heights(&self) -> BTreeMap<ChainId, Height> {
        let mut all = BTreeMap::new();
        for (id, chain) in self.chains.iter() {
            let height = match self.heights.get(id) {
                Some(known) => known,
                None => ask(chain).await,
            };
            all.insert(id.clone(), height);
        }
        all
    }
}
