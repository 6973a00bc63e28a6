use super::*;

fn gate(metric: &str) -> Gate {
    Gate {
        metric: metric.to_owned(),
        label: None,
        min: None,
        max: None,
        max_regression: None,
        missing: Missing::Fail,
    }
}

#[test]
fn reads_flat_gates() {
    let labelled = |metric: &str, label: &str| Gate {
        label: Some(label.to_owned()),
        ..gate(metric)
    };
    for (text, gates) in [
        (
            "precision>=0.6",
            vec![Gate {
                min: Some(0.6),
                ..gate("precision")
            }],
        ),
        (
            "recall<=0.9",
            vec![Gate {
                max: Some(0.9),
                ..gate("recall")
            }],
        ),
        (
            "recall~0.05",
            vec![Gate {
                max_regression: Some(0.05),
                ..gate("recall")
            }],
        ),
        (
            "recall ~ 0",
            vec![Gate {
                max_regression: Some(0.0),
                ..gate("recall")
            }],
        ),
        (
            "precision[area-docs]>=0.5",
            vec![Gate {
                min: Some(0.5),
                ..labelled("precision", "area-docs")
            }],
        ),
        (
            " a >= -1e3 , , b [c, d>e] <= 2,",
            vec![
                Gate {
                    min: Some(-1e3),
                    ..gate("a")
                },
                Gate {
                    max: Some(2.0),
                    ..labelled("b", "c, d>e")
                },
            ],
        ),
        ("", vec![]),
    ] {
        assert_eq!(Gate::parse_list(text), Ok(gates), "{text}");
    }
}

#[test]
fn refuses_what_is_no_flat_gate() {
    for text in [
        "precision",
        "precision=0.6",
        "precision>0.6",
        "precision==0.6",
        "precision>=",
        "precision>=a",
        "precision[a>=0.6",
        "precision[]>=0.6",
        "precision[a]",
        "precision[a]b>=1",
        "precision>=0.6<=0.9",
    ] {
        let error = Gate::parse_list(text).unwrap_err();
        assert_eq!(
            error,
            GateError::Malformed {
                text: text.to_owned()
            }
        );
    }
    for (text, message) in [
        (
            "a>=1,b>2",
            "\"b>2\" is not a gate; write precision>=0.6, recall<=0.9, recall~0.05 or \
             precision[area-docs]>=0.5",
        ),
        (
            ">=1",
            "the gate names no metric; give for instance metric: precision",
        ),
        ("a~-1", "the gate on a has maxRegression -1; use 0 or more"),
        (
            "a[b]>=nan",
            "the gate on a[b] has the limit NaN, which is not a finite number",
        ),
        (
            "a>=inf",
            "the gate on a has the limit inf, which is not a finite number",
        ),
    ] {
        assert_eq!(Gate::parse_list(text).unwrap_err().to_string(), message);
    }
}

proptest::proptest! {
    #[test]
    fn never_panics(text in "[a\\[\\]<>=~,.0-9 \u{e9}]*") {
        let _ = Gate::parse_list(&text);
    }
}
