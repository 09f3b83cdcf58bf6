use std::borrow::Cow;

use bartizan_core::{Category, Rule, Severity};

macro_rules! rules {
    ($($name:ident: $id:literal, $severity:ident, $category:ident, [$($reference:literal),*],
        $title:literal, $why:literal, $fix:literal;)*) => {
        $(pub(super) static $name: Rule = Rule::new(
            $id,
            $title,
            Severity::$severity,
            Category::$category,
            &[$(Cow::Borrowed($reference)),*],
            [$why, $fix],
            None,
        );)*

        /// Every rule about sinks.
        pub(super) static ALL: &[&Rule] = &[$(&$name),*];
    };
}

rules! {
    HTML_SCRIPT: "output.html-script", High, SinkHazard,
        ["LLM05:2025", "CWE-79"],
        "script element",
        "A browser runs the element's content or its source with the rights of the page.",
        "Encode the output for HTML, or drop the element.";
    HTML_ACTIVE_ELEMENT: "output.html-active-element", High, SinkHazard,
        ["LLM05:2025", "CWE-79"],
        "element that loads or runs foreign content",
        "Frames, objects, base addresses, refreshes, and animations run script or redirect the page without a script element.",
        "Encode the output for HTML, or allow a short list of elements.";
    HTML_EVENT_HANDLER: "output.html-event-handler", High, SinkHazard,
        ["LLM05:2025", "CWE-79"],
        "event handler attribute",
        "A browser runs the attribute's value as script when the event fires, many without any click.",
        "Encode the output for HTML, or drop every `on` attribute.";
    HTML_SCRIPT_URL: "output.html-script-url", High, SinkHazard,
        ["LLM05:2025", "CWE-79"],
        "address that runs script",
        "A `javascript:` or `data:` address runs in the page when it is followed or loaded.",
        "Allow `https`, `http`, and `mailto` addresses only.";
    HTML_STYLE: "output.html-active-style", Medium, SinkHazard,
        ["LLM05:2025", "CWE-79"],
        "style that loads or runs something",
        "Styles can run script in old engines, load foreign sheets, and read the page through selectors.",
        "Drop style attributes and elements.";
    HTML_FORM: "output.html-form", Medium, SinkHazard,
        ["LLM05:2025", "CWE-79", "CWE-601"],
        "form that sends what is typed",
        "A form in an answer looks like part of the page and sends passwords elsewhere.",
        "Drop forms and `formaction` attributes.";
    HTML_SRCDOC: "output.html-srcdoc", High, SinkHazard,
        ["LLM05:2025", "CWE-79"],
        "document within an attribute",
        "The attribute's value is a page of its own, and what it holds runs.",
        "Drop the attribute.";
    HTML_NESTED_MARKUP: "output.html-nested-markup", Medium, SinkHazard,
        ["LLM05:2025", "CWE-79"],
        "active markup within an attribute",
        "Sanitisers and browsers disagree on nested markup; the inner part becomes active after one more parse.",
        "Encode the output for HTML attributes.";
    HTML_RESOURCE: "output.html-resource-exfiltration", Medium, Exfiltration,
        ["LLM02:2025", "LLM05:2025", "AML.T0057"],
        "resource of a foreign host is loaded",
        "Loading the resource tells its host whatever the model put into the address, without a click.",
        "List the hosts that may be loaded from, and strip the rest.";
    HTML_LINK: "output.html-link-exfiltration", Low, Exfiltration,
        ["LLM02:2025", "LLM05:2025", "AML.T0057"],
        "link that carries data to a foreign host",
        "Following the link tells its host whatever the model put into the address.",
        "List the hosts that may be linked to, and strip the rest.";
    MARKDOWN_IMAGE: "output.markdown-image-exfiltration", High, Exfiltration,
        ["LLM02:2025", "LLM05:2025", "AML.T0057"],
        "image of a foreign host",
        "Rendering the image sends its address, with whatever the model put into it, without a click.",
        "List the hosts that images may come from, and strip the rest.";
    MARKDOWN_LINK: "output.markdown-link-exfiltration", Low, Exfiltration,
        ["LLM02:2025", "LLM05:2025", "AML.T0057"],
        "link that carries data to a foreign host",
        "Following the link tells its host whatever the model put into the address.",
        "List the hosts that may be linked to, and strip the rest.";
    MARKDOWN_SCRIPT_URL: "output.markdown-script-url", High, SinkHazard,
        ["LLM05:2025", "CWE-79"],
        "Markdown address that runs script",
        "Renderers that keep the address hand script to the browser.",
        "Allow `https`, `http`, and `mailto` addresses only.";
    SQL_UNION: "output.sql-union", High, SinkHazard,
        ["LLM05:2025", "CWE-89"],
        "union with a second query",
        "A union adds rows of any table to the result of the query that it is put into.",
        "Bind values as parameters.";
    SQL_STACKED: "output.sql-stacked-statement", High, SinkHazard,
        ["LLM05:2025", "CWE-89"],
        "second statement",
        "What follows the semicolon runs as a statement of its own.",
        "Bind values as parameters, and switch multiple statements off.";
    SQL_TAUTOLOGY: "output.sql-tautology", High, SinkHazard,
        ["LLM05:2025", "CWE-89"],
        "condition that is always true",
        "The condition makes a filter match every row, e.g. every user.",
        "Bind values as parameters.";
    SQL_COMMENT: "output.sql-comment-cut", Medium, SinkHazard,
        ["LLM05:2025", "CWE-89"],
        "comment that cuts a query off",
        "A quote and a comment end the query where the attacker wants.",
        "Bind values as parameters.";
    SQL_FUNCTION: "output.sql-dangerous-function", High, SinkHazard,
        ["LLM05:2025", "CWE-89"],
        "function that waits, reads files, or runs programs",
        "Such functions leak data by timing, or reach beyond the database.",
        "Bind values as parameters, and run with a role that may not call them.";
    SQL_DESTRUCTIVE: "output.sql-destructive-statement", High, SinkHazard,
        ["LLM05:2025", "CWE-89"],
        "statement that destroys data or grants rights",
        "The statement drops, empties, or rewrites whole tables, or changes who may.",
        "Run generated SQL with a role that may only read.";
    SHELL_SUBSTITUTION: "output.shell-substitution", High, SinkHazard,
        ["LLM05:2025", "CWE-78"],
        "command substitution",
        "A shell runs the inner command while it reads the line, even within double quotes.",
        "Pass arguments as a list without a shell, or quote each word.";
    SHELL_CHAIN: "output.shell-chained-command", High, SinkHazard,
        ["LLM05:2025", "CWE-78"],
        "second command",
        "A separator starts another command.",
        "Pass arguments as a list without a shell, or quote each word.";
    SHELL_REDIRECT: "output.shell-redirection", Medium, SinkHazard,
        ["LLM05:2025", "CWE-78"],
        "redirection to a file",
        "A redirection overwrites or reads a file that the command does not name.",
        "Pass arguments as a list without a shell, or quote each word.";
    SHELL_DESTRUCTIVE: "output.shell-destructive-command", Critical, SinkHazard,
        ["LLM05:2025", "CWE-78"],
        "command that destroys files or disks",
        "The command cannot be undone.",
        "Run generated commands in a sandbox only, after approval.";
    SHELL_REMOTE: "output.shell-remote-code", Critical, SinkHazard,
        ["LLM05:2025", "CWE-78"],
        "download that is run, or a reverse shell",
        "The command runs whatever a foreign host sends, or hands it a shell.",
        "Run generated commands in a sandbox without network, after approval.";
    SHELL_EVASION: "output.shell-evasion", High, SinkHazard,
        ["LLM05:2025", "CWE-78"],
        "command that hides its words",
        "Separators from variables and encoded commands exist to pass filters.",
        "Refuse the command.";
    TEMPLATE_EXPRESSION: "output.template-expression", Medium, SinkHazard,
        ["LLM05:2025", "CWE-94", "CWE-1336"],
        "template expression",
        "A template engine evaluates the expression on the server.",
        "Pass values as template variables, never as template text.";
    TEMPLATE_GADGET: "output.template-gadget", Critical, SinkHazard,
        ["LLM05:2025", "CWE-94", "CWE-1336"],
        "template expression that reaches for code",
        "The expression walks from a harmless object to one that runs commands.",
        "Pass values as template variables, never as template text.";
    URL_SCHEME: "output.url-dangerous-scheme", High, SinkHazard,
        ["LLM05:2025", "CWE-79", "CWE-918"],
        "address that runs or reads something local",
        "Schemes such as `javascript:`, `file:`, and `gopher:` run script or reach what the network does not.",
        "Allow `https` and `http` only.";
    URL_INTERNAL: "output.url-internal-address", High, SinkHazard,
        ["LLM05:2025", "CWE-918"],
        "address within the private network",
        "A server that fetches it reads internal services or cloud credentials.",
        "Resolve the host, and refuse private, link-local, and loopback addresses.";
    URL_USERINFO: "output.url-userinfo", Medium, SinkHazard,
        ["LLM05:2025", "CWE-601"],
        "user name or password within an address",
        "What stands before the `@` looks like the host but is not; passwords in addresses end in logs.",
        "Refuse addresses with user names.";
    URL_CONFUSION: "output.url-parser-confusion", High, SinkHazard,
        ["LLM05:2025", "CWE-601", "CWE-918"],
        "address that parsers read differently",
        "Backslashes, line ends, and control characters make the checker see another host than the fetcher.",
        "Refuse the address.";
    URL_HOST: "output.url-foreign-host", Medium, Exfiltration,
        ["LLM02:2025", "LLM05:2025", "CWE-601"],
        "host that is not on the list",
        "The address leads to a host that the operator did not name.",
        "Add the host to the list if it is meant.";
    URL_LOOK_ALIKE: "output.url-look-alike-host", High, SinkHazard,
        ["LLM05:2025", "CWE-601"],
        "host written with look-alike letters",
        "Letters of another script make the host read like a known one.",
        "Refuse the address, or show the host in its ASCII form.";
    CSV_FORMULA: "output.csv-formula", Medium, SinkHazard,
        ["LLM05:2025", "CWE-1236"],
        "cell that is a formula",
        "A spreadsheet evaluates the cell when the file is opened.",
        "Put an apostrophe in front, as the CSV encoder does.";
    CSV_COMMAND: "output.csv-command", Critical, SinkHazard,
        ["LLM05:2025", "CWE-1236"],
        "formula that runs a program",
        "Dynamic data exchange starts a program when the file is opened.",
        "Refuse the cell.";
    CSV_EXFILTRATION: "output.csv-exfiltration", High, Exfiltration,
        ["LLM05:2025", "CWE-1236"],
        "formula that calls a foreign host",
        "The formula sends cells of the sheet to a host when it is opened or clicked.",
        "Refuse the cell.";
    HIDDEN_TEXT: "indirect.hidden-text", Medium, Injection,
        ["LLM01:2025", "AML.T0051.001"],
        "hidden text that addresses a model",
        "People do not see the text, and the model does: it is there for the model to obey.",
        "Drop what a page does not show before it reaches the model.";
}
