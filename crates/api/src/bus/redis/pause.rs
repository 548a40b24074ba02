//! The pause before the next try to connect: it doubles, and differs from node to node, so that a server that comes back is
//! not met by all of them at once.

use crate::clock::{Entropy, random};
use std::sync::Arc;
use std::time::Duration;

const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

pub struct Pause {
    entropy: Arc<dyn Entropy>,
    next: Duration,
}

impl Pause {
    pub fn new(entropy: Arc<dyn Entropy>) -> Self {
        Self { entropy, next: SHORTEST }
    }

    /// It went well: the next pause is the shortest again.
    pub fn reset(&mut self) {
        self.next = SHORTEST;
    }

    /// The pause to make now: between half of what it has grown to and all of it.
    pub fn take(&mut self) -> Duration {
        let [byte] = random(&*self.entropy);
        let pause = self.next / 2 + self.next / 2 * u32::from(byte) / 255;
        self.next = LONGEST.min(self.next * 2);
        pause
    }

    pub async fn wait(&mut self) {
        tokio::time::sleep(self.take()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemEntropy;

    #[test]
    fn a_pause_grows_to_its_longest_and_starts_again() {
        let mut pause = Pause::new(Arc::new(SystemEntropy));
        for whole in [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000] {
            let whole = Duration::from_millis(whole);
            let taken = pause.take();
            assert!((whole / 2..=whole).contains(&taken), "{taken:?} of {whole:?}");
        }
        pause.reset();
        assert!(pause.take() <= SHORTEST);
    }
}
