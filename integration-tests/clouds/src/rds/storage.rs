//! Storage: which sizes, operations per second and throughputs go together (botocore's model, and the user guide,
//! "Amazon RDS DB instance storage").

use super::wire::{Refusal, combination, invalid};

/// A volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    /// `gp3`, `io1`, …
    pub kind: String,
    /// GiB.
    pub size: u32,
    /// Operations per second; none: the kind has no such number.
    pub iops: Option<u32>,
    /// MiB per second; none: the kind has no such number.
    pub throughput: Option<u32>,
}

/// What was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) kind: Option<String>,
    pub(super) size: Option<u32>,
    pub(super) iops: Option<u32>,
    pub(super) throughput: Option<u32>,
}

/// From so many GiB on a gp3 volume of PostgreSQL is striped, and takes other numbers.
const STRIPED: u32 = 400;

impl Storage {
    pub(super) fn create(asked: &Asked) -> Result<Self, Refusal> {
        let default = if asked.iops.is_some() { "io1" } else { "gp3" };
        Self::check(asked.kind.as_deref().unwrap_or(default), asked.size.unwrap_or(20), asked)
    }

    /// What a change comes to. An increase of less than a tenth is rounded up (API reference, ModifyDBInstance,
    /// AllocatedStorage).
    pub(super) fn change(&self, asked: &Asked) -> Result<Self, Refusal> {
        if *asked == Asked::default() {
            return Ok(self.clone());
        }
        let size = asked.size.unwrap_or(self.size);
        if size < self.size {
            let now = self.size;
            return Err(invalid(format!("Requested storage size {size} cannot be less than {now}.")));
        }
        let size = if size == self.size { size } else { size.max((self.size * 11).div_ceil(10)) };
        let kind = asked.kind.as_deref().unwrap_or(&self.kind);
        // botocore, ModifyDBInstance, AllocatedStorage: the current value will do.
        let provisioned = self.kind.starts_with("io") || (self.kind == "gp3" && self.size >= STRIPED);
        if provisioned && kind == self.kind && size > self.size && asked.iops.is_none() {
            return Err(combination(format!(
                "You must also specify Iops to increase the storage of {kind}."
            )));
        }
        // What is not named stays, where the kind stays and the volume does not become a striped one.
        let same = kind == self.kind && (kind != "gp3" || (self.size >= STRIPED && size >= STRIPED));
        let asked = Asked {
            iops: asked.iops.or(self.iops.filter(|_| same)),
            throughput: asked.throughput.or(self.throughput.filter(|_| same)),
            ..asked.clone()
        };
        Self::check(kind, size, &asked)
    }

    fn check(kind: &str, size: u32, asked: &Asked) -> Result<Self, Refusal> {
        let sizes = match kind {
            "gp2" | "gp3" => 20..=65536,
            "io1" | "io2" => 100..=65536,
            "standard" => 5..=3072,
            _ => return Err(invalid(format!("Invalid storage type: {kind}"))),
        };
        if !sizes.contains(&size) {
            let message =
                format!("Invalid storage size for engine name postgres and storage type {kind}: {size}");
            return Err(invalid(message));
        }
        let made = |iops, throughput| Self { kind: kind.to_owned(), size, iops, throughput };
        match (kind, asked.iops, asked.throughput) {
            ("gp3", None, None) if size < STRIPED => Ok(made(Some(3000), Some(125))),
            ("gp3", ..) if size < STRIPED => Err(combination(format!(
                "You can't specify IOPS or storage throughput for engine postgres and a storage size less than {STRIPED}."
            ))),
            ("gp3", iops, throughput) => {
                let (iops, throughput) = (iops.unwrap_or(12000), throughput.unwrap_or(500));
                if !(12000..=64000).contains(&iops) || !(500..=4000).contains(&throughput) {
                    return Err(combination(
                        "gp3 takes 12000 to 64000 IOPS and a throughput of 500 to 4000.",
                    ));
                }
                if throughput * 4 > iops {
                    return Err(combination("The throughput cannot be more than a quarter of the IOPS."));
                }
                Ok(made(Some(iops), Some(throughput)))
            }
            ("io1" | "io2", Some(iops), None) => {
                let most = u64::from(size) * if kind == "io1" { 50 } else { 1000 };
                let fits = (1000..=256_000).contains(&iops) && u64::from(iops) <= most && iops * 2 >= size;
                if fits {
                    Ok(made(Some(iops), None))
                } else {
                    Err(combination(format!("{iops} IOPS do not fit {size} GiB of {kind}.")))
                }
            }
            ("io1" | "io2", None, None) => {
                Err(combination(format!("You must specify Iops for the storage type {kind}.")))
            }
            (_, None, None) => Ok(made(None, None)),
            _ => Err(combination(format!("{kind} takes no such IOPS or throughput."))),
        }
    }
}

/// `MaxAllocatedStorage`, checked against the size; none where it switches growth off by being equal.
pub(super) fn limit(asked: Option<u32>, size: u32) -> Result<Option<u32>, Refusal> {
    match asked {
        None => Ok(None),
        Some(most) if most == size => Ok(None),
        Some(most) if most > 65536 || u64::from(most) * 10 < u64::from(size) * 11 => Err(combination(
            "Max storage size must be at least 10% more than the storage size, and at most 65536.",
        )),
        Some(most) => Ok(Some(most)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(kind: &str, size: u32, iops: u32, throughput: u32) -> Asked {
        let number = |number: u32| (number > 0).then_some(number);
        let kind = (!kind.is_empty()).then(|| kind.to_owned());
        Asked { kind, size: number(size), iops: number(iops), throughput: number(throughput) }
    }

    #[rstest::rstest]
    #[case::nothing("", 0, 0, 0, Some(("gp3", 20, 3000, 125)))]
    #[case::iops_without_a_type("", 100, 1000, 0, Some(("io1", 100, 1000, 0)))]
    #[case::gp2_has_no_numbers("gp2", 20, 0, 0, Some(("gp2", 20, 0, 0)))]
    #[case::small_gp3_takes_no_iops("gp3", 399, 3000, 0, None)]
    #[case::small_gp3_takes_no_throughput("gp3", 20, 0, 125, None)]
    #[case::large_gp3("gp3", 400, 0, 0, Some(("gp3", 400, 12000, 500)))]
    #[case::large_gp3_with_numbers("gp3", 400, 16000, 1000, Some(("gp3", 400, 16000, 1000)))]
    #[case::throughput_of_more_than_a_quarter("gp3", 400, 12000, 4000, None)]
    #[case::io1_without_iops("io1", 100, 0, 0, None)]
    #[case::io1_too_small("io1", 99, 1000, 0, None)]
    #[case::io1_more_than_fifty_to_one("io1", 100, 5001, 0, None)]
    #[case::too_small("gp3", 19, 0, 0, None)]
    #[case::too_large("gp3", 65537, 0, 0, None)]
    #[case::unknown("zzz", 20, 0, 0, None)]
    #[case::magnetic_may_be_small("standard", 5, 0, 0, Some(("standard", 5, 0, 0)))]
    fn what_goes_together_is_taken(
        #[case] kind: &str,
        #[case] size: u32,
        #[case] iops: u32,
        #[case] throughput: u32,
        #[case] expected: Option<(&str, u32, u32, u32)>,
    ) {
        let made = Storage::create(&asked(kind, size, iops, throughput));
        let seen = made.as_ref().ok().map(|it| {
            (it.kind.as_str(), it.size, it.iops.unwrap_or_default(), it.throughput.unwrap_or_default())
        });
        assert_eq!(seen, expected, "{made:?}");
    }

    #[test]
    fn storage_grows_by_a_tenth_at_least_and_never_shrinks() {
        let now = Storage::create(&asked("gp3", 100, 0, 0)).unwrap();
        assert_eq!(now.change(&asked("", 101, 0, 0)).unwrap().size, 110);
        assert_eq!(now.change(&asked("", 150, 0, 0)).unwrap().size, 150);
        assert_eq!(now.change(&asked("", 100, 0, 0)).unwrap(), now);
        assert!(now.change(&asked("", 99, 0, 0)).is_err());
        let striped = now.change(&asked("", 400, 0, 0)).unwrap();
        assert_eq!((striped.iops, striped.throughput), (Some(12000), Some(500)));
        assert!(striped.change(&asked("", 500, 0, 0)).is_err(), "it grows with its Iops only");
        let larger = striped.change(&asked("", 500, 12000, 0)).unwrap();
        assert_eq!((larger.size, larger.iops, larger.throughput), (500, Some(12000), Some(500)));
        let other = striped.change(&asked("gp2", 0, 0, 0)).unwrap();
        assert_eq!((other.iops, other.throughput), (None, None));
    }

    #[test]
    fn a_limit_is_a_tenth_above_the_size_or_switches_growth_off() {
        assert_eq!(limit(Some(100), 100).unwrap(), None);
        assert_eq!(limit(Some(110), 100).unwrap(), Some(110));
        assert!(limit(Some(109), 100).is_err() && limit(Some(50), 100).is_err());
    }
}
