//! Reading Prometheus' text format.

use std::collections::BTreeMap;

/// One line of the metrics.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The name, with `_bucket`, `_sum` or `_count` where it is part of a histogram.
    pub name: String,
    /// The labels.
    pub labels: BTreeMap<String, String>,
    /// The value.
    pub value: f64,
}

impl Sample {
    /// Whether it has that name and these labels, whatever others it has.
    pub fn is(&self, name: &str, labels: &[(&str, &str)]) -> bool {
        self.name == name
            && labels.iter().all(|(label, value)| self.labels.get(*label).map(String::as_str) == Some(*value))
    }
}

/// All lines; those that cannot be read are left out. No label of the operator's holds a comma, brace or quote.
pub(super) fn parse(text: &str) -> Vec<Sample> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(sample).collect()
}

fn sample(line: &str) -> Option<Sample> {
    let (series, value) = line.rsplit_once(' ')?;
    let (name, labels) = match series.split_once('{') {
        Some((name, labels)) => (name, labels.strip_suffix('}')?),
        None => (series, ""),
    };
    let label = |label: &str| {
        let (name, value) = label.split_once('=')?;
        Some((name.to_owned(), value.trim_matches('"').to_owned()))
    };
    let labels = labels.split(',').filter(|text| !text.is_empty()).map(label).collect::<Option<_>>()?;
    Some(Sample { name: name.to_owned(), labels, value: value.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_apart() {
        let text = "# TYPE a counter\na{kind=\"server\",to=\"Ready\"} 3\nb 0.5\nodd\n";
        let samples = parse(text);
        assert_eq!(samples.len(), 2);
        assert!(samples[0].is("a", &[("to", "Ready")]) && !samples[0].is("a", &[("to", "Pending")]));
        assert_eq!((samples[0].value, samples[1].value), (3.0, 0.5));
    }
}
