use super::*;

fn all() -> Vec<(Reason, &'static str)> {
    let text = str::to_owned;
    vec![
        (
            Reason::DisplayName {
                actual: text("x"),
                wanted: text("y"),
            },
            r#"display name is "x"; wanted "y""#,
        ),
        (
            Reason::Label {
                key: text("a"),
                actual: Some(text("b")),
                wanted: text("c"),
            },
            r#"label "a" is "b"; wanted "c""#,
        ),
        (
            Reason::Label {
                key: text("a"),
                actual: None,
                wanted: text("c"),
            },
            r#"label "a" is missing; wanted "c""#,
        ),
        (Reason::NotPinned, "not the pinned model"),
        (Reason::Excluded, "excluded by the policy"),
        (
            Reason::State {
                actual: State::Training,
                wanted: vec![State::Trained, State::Deployed],
            },
            "state is Training; wanted Trained or Deployed",
        ),
        (
            Reason::TooYoung {
                age: SignedDuration::from_millis(120_500),
                minimum: Duration::from_secs(3600),
            },
            "created 2m ago; the minimum age is 1h",
        ),
        (
            Reason::TooYoung {
                age: SignedDuration::from_millis(-250),
                minimum: Duration::from_secs(1),
            },
            "created 250ms in the future; the minimum age is 1s",
        ),
        (
            Reason::BelowMinimum {
                gate: text("precision"),
                figure: 0.58,
                minimum: 0.6,
            },
            "precision 0.58 is below the minimum 0.6",
        ),
        (
            Reason::AboveMaximum {
                gate: text("loss[a]"),
                figure: 1e300,
                maximum: 1.0,
            },
            "loss[a] 1e300 is above the maximum 1",
        ),
        (
            Reason::Regression {
                gate: text("recall"),
                figure: 0.4,
                baseline: 0.5,
                allowed: 0.05,
                current: text("m"),
            },
            "recall 0.4 is 0.1 below 0.5 of the model in Git (m); at most 0.05 is allowed",
        ),
        (
            Reason::NoFigure {
                gate: text("precision"),
            },
            r#"no evaluation for metric "precision""#,
        ),
        (
            Reason::NoBaseline {
                gate: text("recall"),
            },
            "no evaluation of the model in Git for metric \"recall\", so a regression cannot be \
             ruled out",
        ),
        (
            Reason::Downgrade { current: text("m") },
            "older than the model in Git (m); downgrade is forbidden",
        ),
        (Reason::Older, "older than the chosen model"),
    ]
}

#[test]
fn reasons_are_plain_words_with_the_figures() {
    for (reason, text) in all() {
        assert_eq!(reason.to_string(), text);
    }
}

#[test]
fn knows_its_kind() {
    let of = |holds: fn(&Reason) -> bool| {
        all()
            .into_iter()
            .filter(|(reason, _)| holds(reason))
            .count()
    };
    assert_eq!(of(Reason::is_gate), 5);
    assert_eq!(of(|reason| reason.group().1 == "failed a gate"), 5);
    assert_eq!(of(Reason::is_downgrade), 1);
}

#[test]
fn groups_stand_in_the_order_of_the_rules() {
    assert!(all().is_sorted_by_key(|(reason, _)| reason.group().0));
}

#[test]
fn figures_are_short_and_exact() {
    for (figure, text) in [
        (0.6, "0.6"),
        (1.0, "1"),
        (-0.0, "-0"),
        (1e-9, "1e-9"),
        (123_456.5, "123456.5"),
    ] {
        assert_eq!(Figure(figure).to_string(), text);
    }
    assert_eq!(Figure(f64::NAN).to_string(), "NaN");
    assert_eq!(Figure(f64::INFINITY).to_string(), "inf");
    assert_eq!(Figure(difference(0.5, 0.4)).to_string(), "0.1");
    assert_eq!(Figure(difference(2e-12, 1e-12)).to_string(), "1e-12");
}
