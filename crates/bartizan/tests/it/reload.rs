//! What SIGHUP changes while the gateway answers, and what it must not lose.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::Duration,
};

use bartizan_gateway::identity::ApiKey;

use crate::serving::{Home, Serving};

/// A configuration with these keys in team `red`, and a budget of `most` requests for it.
fn yaml(keys: &[&ApiKey], most: u32) -> String {
    let mut text = String::from("identity:\n  keys:\n");
    for (number, key) in keys.iter().enumerate() {
        let (prefix, hash) = (key.prefix(), key.configured_hash());
        text.push_str(&format!(
            "  - {{id: app-{number}, prefix: {prefix}, hash: '{hash}', grants: {{scopes: [infer], team: red}}}}\n"
        ));
    }
    text.push_str(&format!(
        "limits:\n  preset: none\n  rules:\n  - {{name: team, per: team, requests-per-day: {most}}}\n"
    ));
    text
}

fn reload(home: &Home, serving: &Serving, yaml: &str, said: &str) {
    home.write("bartizan.yaml", yaml);
    serving.signal("HUP");
    serving.logs(said);
}

const TAKEN: &str = "the configuration was read again";
const KEPT: &str = "the former configuration stays";

#[test]
fn identities_and_limits_change_and_counters_stay() {
    let (one, two) = (ApiKey::generate().unwrap(), ApiKey::generate().unwrap());
    let home = Home::new();
    home.write("bartizan.yaml", &yaml(&[&one], 5));
    let serving = home.serve(&["--config", "bartizan.yaml"]);
    assert_eq!(serving.key(), None, "the file names a key");
    let chat = |key: &ApiKey| serving.chat(key.expose(), "Hello.").status;
    for _ in 0..3 {
        assert_eq!(chat(&one), 200);
    }
    assert_eq!(chat(&two), 401);

    // Three of five are spent, whoever of the team spends the rest.
    reload(&home, &serving, &yaml(&[&one, &two], 5), TAKEN);
    assert_eq!([chat(&two), chat(&one), chat(&two)], [200, 200, 429]);

    // A file with a mistake in either block changes neither.
    for broken in [
        yaml(&[&two], 9).replace("preset: none", "preset: some"),
        yaml(&[&two], 9).replace("infer", "infr"),
        yaml(&[&two], 9).replace("'sha256:", "'sha1:"),
        yaml(&[&two], 9).replace("per: team", "per: crowd"),
    ] {
        reload(&home, &serving, &broken, KEPT);
        assert_eq!([chat(&one), chat(&two)], [429, 429]);
    }

    // A key that is gone is refused; a larger budget counts what was spent.
    reload(&home, &serving, &yaml(&[&two], 7), TAKEN);
    assert_eq!(chat(&one), 401);
    assert_eq!([chat(&two), chat(&two), chat(&two)], [200, 200, 429]);
}

#[test]
fn what_needs_a_restart_is_said() {
    let key = ApiKey::generate().unwrap();
    let home = Home::new();
    home.write("bartizan.yaml", &yaml(&[&key], 5));
    let serving = home.serve(&["--config", "bartizan.yaml"]);
    let changed = yaml(&[&key], 5) + "record:\n  when-full: block\n  wait-ms: 100\n";
    reload(&home, &serving, &changed, "needs a restart");
    assert_eq!(serving.chat(key.expose(), "Hello.").status, 200);
}

/// The sockets stay as they were opened, whatever the file says of addresses by now.
#[test]
fn an_open_address_is_not_opened_to_everybody() {
    let key = ApiKey::generate().unwrap();
    let home = Home::new();
    let plain = "server: {allow-plain-text-beyond-loopback: true}\n";
    home.write("bartizan.yaml", &(yaml(&[&key], 99) + plain));
    let command = [
        "serve",
        "--listen",
        "0.0.0.0:0",
        "--data",
        "data",
        "--config",
        "bartizan.yaml",
    ];
    let serving = Serving::start(home.command(&command));
    assert_eq!(serving.chat("nobody", "Hello.").status, 401);
    let anonymous = "identity: {dangerously-allow-anonymous: true}\n";
    reload(&home, &serving, anonymous, KEPT);
    assert_eq!(serving.chat("nobody", "Hello.").status, 401);
    assert_eq!(serving.chat(key.expose(), "Hello.").status, 200);
}

const PIECE: &str = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"WORDS\"},\"finish_reason\":null}]}\n\n";
const LAST: &str = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

/// A model that streams a beginning, and the end once it is told to.
fn slow_model() -> (String, mpsc::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (go_on, wait) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut length = 0;
        let mut line = String::new();
        while reader.read_line(&mut line).unwrap() > 2 {
            let lower = line.to_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            line.clear();
        }
        reader.read_exact(&mut vec![0; length]).unwrap();
        let head =
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
        let words = "The history of the lighthouse begins with a fire on a hill. ".repeat(40);
        let begin = format!("{head}{}", PIECE.replace("WORDS", &words));
        stream.write_all(begin.as_bytes()).unwrap();
        wait.recv().unwrap();
        let end = format!("{}{LAST}", PIECE.replace("WORDS", "It ends well."));
        stream.write_all(end.as_bytes()).unwrap();
    });
    (address, go_on)
}

#[test]
fn a_stream_and_its_connection_outlive_a_reload() {
    let (model, go_on) = slow_model();
    let (one, two) = (ApiKey::generate().unwrap(), ApiKey::generate().unwrap());
    let upstream = format!(
        "upstreams:\n  m: {{base-url: 'http://{model}/v1', kind: generic, allow-private: true, allow-plain-text: true}}\n"
    );
    let home = Home::new();
    home.write("bartizan.yaml", &(yaml(&[&one], 9) + &upstream));
    let serving = home.serve(&["--config", "bartizan.yaml"]);

    let mut client = TcpStream::connect(&serving.address).unwrap();
    client
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let body =
        r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"Tell me of it."}]}"#;
    let request = |path: &str, method: &str, body: &str| {
        let key = one.expose();
        format!(
            "{method} {path} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    client
        .write_all(request("/v1/chat/completions", "POST", body).as_bytes())
        .unwrap();
    let mut answers = BufReader::new(client.try_clone().unwrap());
    let mut read_to = |words: &str| {
        let mut line = String::new();
        let mut all = String::new();
        while answers.read_line(&mut line).unwrap() > 0 {
            all.push_str(&line);
            if line.contains(words) {
                return all;
            }
            line.clear();
        }
        panic!("it ends without `{words}`: {all}");
    };
    let head = read_to("lighthouse");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");

    // The key under which it was asked goes while the answer comes.
    reload(&home, &serving, &(yaml(&[&two], 9) + &upstream), TAKEN);
    assert_eq!(serving.chat(one.expose(), "Hello.").status, 401);
    go_on.send(()).unwrap();
    let rest = read_to("[DONE]");
    assert!(rest.contains("It ends well."), "{rest}");
    // The end of the chunked body; then the same connection takes another request.
    read_to("0");
    client
        .write_all(request("/version", "GET", "").as_bytes())
        .unwrap();
    assert!(read_to("HTTP/1.1").contains("200"));
}
