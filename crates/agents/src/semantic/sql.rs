use sqlparser::{
    ast::{Query, SetExpr, Statement},
    dialect::GenericDialect,
    parser::Parser,
};

/// The statements that an argument may be allowed to hold; `other` for all that have no word here.
pub const STATEMENTS: &[&str] = &["select", "insert", "update", "delete", "other"];

/// Functions and words that reach files, programs, or the network, or hold a connection.
const REACHING: &[&str] = &[
    "pg_read_file",
    "pg_read_binary_file",
    "pg_ls_dir",
    "pg_sleep",
    "lo_import",
    "lo_export",
    "dblink",
    "load_file",
    "outfile",
    "dumpfile",
    "xp_cmdshell",
    "xp_dirtree",
    "sp_oacreate",
    "openrowset",
    "opendatasource",
    "load_extension",
    "readfile",
    "writefile",
    "utl_http",
    "utl_file",
    "dbms_lob",
    "benchmark",
    "waitfor",
    "sys_exec",
    "sys_eval",
    "query_to_xml",
];

/// Levels of nesting that are read.
const DEPTH: usize = 50;

/// What is wrong with `text` as SQL, if it may hold `allowed` statements, `select` alone where there
/// are none. What cannot be read is refused.
pub(crate) fn unsafe_sql(text: &str, allowed: &[String]) -> Option<&'static str> {
    let parsed = Parser::new(&GenericDialect {})
        .with_recursion_limit(DEPTH)
        .try_with_sql(text)
        .and_then(|mut parser| parser.parse_statements());
    let Ok(statements) = parsed else {
        return Some("cannot be read");
    };
    if statements.is_empty() {
        return Some("cannot be read");
    }
    let may = |word: &str| {
        if allowed.is_empty() {
            word == "select"
        } else {
            allowed.iter().any(|known| known == word)
        }
    };
    for statement in &statements {
        let mut found = Vec::new();
        words(statement, &mut found);
        if !found.iter().all(|word| may(word)) {
            return Some("holds a statement that is not allowed");
        }
    }
    if statements.len() > 1 {
        return Some("holds more than one statement");
    }
    let lower = text.to_lowercase();
    let mut names = lower.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    names
        .any(|name| REACHING.contains(&name))
        .then_some("reaches outside the database")
}

/// The words of a statement and of what its queries hold.
fn words(statement: &Statement, into: &mut Vec<&'static str>) {
    match statement {
        Statement::Query(query) => in_query(query, into),
        Statement::Insert(insert) => {
            into.push("insert");
            if let Some(query) = &insert.source {
                in_query(query, into);
            }
        }
        Statement::Update { .. } => into.push("update"),
        Statement::Delete(_) => into.push("delete"),
        _ => into.push("other"),
    }
}

/// Engines let data change in a query only where it begins: in its body, and in what `WITH` names.
fn in_query(query: &Query, into: &mut Vec<&'static str>) {
    for table in query.with.iter().flat_map(|with| &with.cte_tables) {
        in_query(&table.query, into);
    }
    in_body(&query.body, into);
}

fn in_body(body: &SetExpr, into: &mut Vec<&'static str>) {
    match body {
        // `SELECT … INTO` writes a table.
        SetExpr::Select(select) if select.into.is_some() => into.push("other"),
        SetExpr::Select(_) | SetExpr::Values(_) | SetExpr::Table(_) => into.push("select"),
        SetExpr::Query(query) => in_query(query, into),
        SetExpr::SetOperation { left, right, .. } => {
            in_body(left, into);
            in_body(right, into);
        }
        SetExpr::Insert(statement)
        | SetExpr::Update(statement)
        | SetExpr::Delete(statement)
        | SetExpr::Merge(statement) => words(statement, into),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ag_18_sql_reads_unless_told_otherwise() {
        for sql in [
            "DROP TABLE users",
            "SELECT 1; DROP TABLE users",
            "SELECT 1; SELECT 2",
            "DELETE FROM users",
            "WITH x AS (DELETE FROM users RETURNING *) SELECT * FROM x",
            "SELECT * INTO copy FROM users",
            "SELECT pg_read_file('/etc/passwd')",
            "SELECT load_file('/etc/passwd')",
            "COPY users TO PROGRAM 'sh'",
            "not sql at all",
            "",
        ] {
            assert!(unsafe_sql(sql, &[]).is_some(), "{sql}");
        }
        for sql in [
            "SELECT name FROM users WHERE id = 3",
            "SELECT count(*) FROM a JOIN b USING (id)",
        ] {
            assert_eq!(unsafe_sql(sql, &[]), None, "{sql}");
        }
        let allowed = ["select".to_owned(), "insert".to_owned()];
        assert_eq!(unsafe_sql("INSERT INTO a SELECT * FROM b", &allowed), None);
        assert!(unsafe_sql("UPDATE a SET b = 1", &allowed).is_some());
    }
}
