//! A set of documents of one segment of the search index.

use super::segment::LARGEST;

/// A set of documents of one segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bits(Vec<u64>);

impl Bits {
    pub fn insert(&mut self, number: u32) {
        let n = number as usize;
        // A damaged number must not ask for all the memory there is.
        if n >= LARGEST * 2 {
            return;
        }
        if self.0.len() <= n / 64 {
            self.0.resize(n / 64 + 1, 0);
        }
        self.0[n / 64] |= 1 << (n % 64);
    }

    pub fn add(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        self.0.iter_mut().zip(&other.0).for_each(|(mine, theirs)| *mine |= theirs);
    }

    pub fn remove(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(mine, theirs)| *mine &= !theirs);
    }

    pub fn common(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(mine, theirs)| mine & theirs).collect())
    }

    pub fn count(&self) -> usize {
        self.0.iter().map(|bits| bits.count_ones() as usize).sum()
    }

    /// Ascending.
    pub fn numbers(&self) -> impl Iterator<Item = u32> + '_ {
        (0u32..).zip(&self.0).flat_map(|(n, bits)| {
            (0..64).filter(move |bit| bits & (1 << bit) != 0).map(move |bit| n * 64 + bit)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(numbers: &[u32]) -> Bits {
        let mut bits = Bits::default();
        for n in numbers {
            bits.insert(*n);
        }
        bits
    }

    #[test]
    fn sets_of_documents_are_joined_met_and_lessened() {
        let (few, many) = (bits(&[1, 64, 200]), bits(&[0, 1, 64, 65]));
        let numbers = |bits: &Bits| bits.numbers().collect::<Vec<_>>();
        assert_eq!(numbers(&few.common(&many)), [1, 64]);
        let mut all = few.clone();
        all.add(&many);
        assert_eq!((numbers(&all), all.count()), (vec![0, 1, 64, 65, 200], 5));
        all.remove(&few);
        assert_eq!(numbers(&all), [0, 65]);
        assert_eq!(bits(&[u32::MAX]), Bits::default());
    }
}
