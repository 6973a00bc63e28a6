//! The page of the documentation that lists the rules, made from them.

use crate::core::check::RULES;

/// The page, in Markdown.
#[must_use]
pub fn rules_page() -> String {
    let mut page = String::from(
        "# Rules of `modelsync check`\n\n<!-- Made from the rules: UPDATE=1 cargo test --test it \
         rules -->\n\nSet a rule's level with `--rule ID=error|warning|info|off`. Accept one finding \
         with a comment on its line or the line above: `# modelsync:ignore ID REASON`.\n\n| rule | \
         name | level |\n|---|---|---|\n",
    );
    for rule in RULES {
        let (id, name) = (rule.id, rule.name);
        let anchor = format!("{}-{name}", id.to_lowercase());
        page.push_str(&format!(
            "| [{id}](#{anchor}) | {name} | {} |\n",
            rule.severity
        ));
    }
    for rule in RULES {
        let (id, name, about, help) = (rule.id, rule.name, rule.about, rule.help);
        page.push_str(&format!(
            "\n## {id} {name}\n\n{about}\n\nWhat to do: {help}.\n"
        ));
    }
    page
}
