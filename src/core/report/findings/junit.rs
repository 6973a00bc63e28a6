//! Findings as JUnit XML: a rule without findings is a test that passed, a finding one that failed.

use quick_junit::{NonSuccessKind, Report as Junit, TestCase, TestCaseStatus, TestSuite};

use super::{path, region};
use crate::core::check::{RULES, Report};
use crate::core::package::Package;

/// The XML text.
///
/// # Errors
/// It cannot be written, which would be a fault of the XML library.
pub fn junit(
    package: &Package<'_>,
    report: &Report,
) -> Result<String, quick_junit::SerializeError> {
    let mut suite = TestSuite::new("modelsync check");
    for rule in RULES {
        let mut is_clean = true;
        for finding in report
            .findings
            .iter()
            .filter(|finding| finding.rule.id == rule.id)
        {
            is_clean = false;
            let place = match (path(finding), region(package, finding)) {
                (Some(path), Some((start, _))) => format!("{path}:{start}: "),
                (Some(path), None) => format!("{path}: "),
                (None, _) => String::new(),
            };
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status
                .set_type(finding.severity.to_string())
                .set_message(finding.item.message.clone())
                .set_description(format!(
                    "{place}{}\nhelp: {}",
                    finding.item.message, rule.help
                ));
            let name = format!("{} {}", rule.id, place.trim_end_matches([' ', ':']));
            let mut case = TestCase::new(name.trim_end().to_owned(), status);
            case.set_classname(rule.name);
            suite.add_test_case(case);
        }
        if is_clean {
            let mut case = TestCase::new(rule.id, TestCaseStatus::success());
            case.set_classname(rule.name);
            suite.add_test_case(case);
        }
    }
    for undecided in &report.undecided {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_type("undecided").set_message(undecided.clone());
        let mut case = TestCase::new("could not decide", status);
        case.set_classname("undecided");
        suite.add_test_case(case);
    }
    let mut junit = Junit::new("modelsync");
    junit.add_test_suite(suite);
    junit.to_string()
}
