//! How many calls a subscription may make: token buckets, one for reads, one for writes, one for deletions [D]
//! (<https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling>).

use jiff::Timestamp;

/// Buckets of one principal in one region. All tokens are there at first.
pub(super) struct Budget {
    reads: Bucket,
    writes: Bucket,
    deletes: Bucket,
}

struct Bucket {
    most: f64,
    per_second: f64,
    left: f64,
    /// When `left` was so.
    at: Timestamp,
}

impl Budget {
    /// As documented.
    pub(super) fn new(now: Timestamp) -> Self {
        let bucket = |most, per_second| Bucket { most, per_second, left: most, at: now };
        Self { reads: bucket(250.0, 25.0), writes: bucket(200.0, 10.0), deletes: bucket(200.0, 10.0) }
    }

    /// How many calls of that kind are left after this one; or in how many seconds it can be tried again.
    pub(super) fn take(&mut self, method: &str, now: Timestamp) -> Result<u32, u32> {
        match method {
            "GET" => self.reads.take(now),
            "DELETE" => self.deletes.take(now),
            _ => self.writes.take(now),
        }
    }
}

impl Bucket {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn take(&mut self, now: Timestamp) -> Result<u32, u32> {
        let passed = now.duration_since(self.at).as_secs_f64().max(0.0);
        (self.left, self.at) = ((self.left + passed * self.per_second).min(self.most), now);
        if self.left < 1.0 {
            return Err(((1.0 - self.left) / self.per_second).ceil().max(1.0) as u32);
        }
        self.left -= 1.0;
        Ok(self.left as u32)
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn a_bucket_is_emptied_by_its_own_kind_of_calls_and_fills_again() {
        let begin = Timestamp::UNIX_EPOCH;
        let mut budget = Budget::new(begin);
        let writes = (0..300).filter(|_| budget.take("PUT", begin).is_ok()).count();
        assert_eq!(writes, 200);
        assert_eq!(budget.take("PATCH", begin), Err(1));
        assert_eq!(budget.take("GET", begin), Ok(249));
        assert_eq!(budget.take("DELETE", begin), Ok(199));
        let later = begin + SignedDuration::from_secs(2);
        assert_eq!((0..300).filter(|_| budget.take("PUT", later).is_ok()).count(), 20);
    }
}
