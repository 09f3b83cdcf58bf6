// What Go's own transparency log code makes of a ledger: its checkpoint, its tiles, and its proofs.
package main

import (
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"oracle/note"
	"oracle/tlog"
)

type tiles string

func (t tiles) Height() int { return 8 }

func (t tiles) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		// Go's paths have the height in them, those of C2SP have not.
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		all = append(all, read(filepath.Join(string(t), path)))
	}
	return all, nil
}

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func read(path string) []byte {
	bytes, err := os.ReadFile(path)
	must(err)
	return bytes
}

func open(signed []byte, vkey string) tlog.Tree {
	verifier, err := note.NewVerifier(vkey)
	must(err)
	opened, err := note.Open(signed, note.VerifierList(verifier))
	must(err)
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err)
	root, err := tlog.ParseHash(lines[2])
	must(err)
	return tlog.Tree{N: size, Hash: root}
}

func hashes(lines []string) []tlog.Hash {
	var all []tlog.Hash
	for _, line := range lines {
		hash, err := tlog.ParseHash(line)
		must(err)
		all = append(all, hash)
	}
	return all
}

func main() {
	ledger, proofs, vkey := os.Args[1], os.Args[2], os.Args[3]
	tree := open(read(filepath.Join(ledger, "checkpoint")), vkey)
	reader := tlog.TileHashReader(tree, tiles(ledger))
	root, err := tlog.TreeHash(tree.N, reader)
	must(err)
	if root != tree.Hash {
		log.Fatal("another root")
	}

	names, err := filepath.Glob(filepath.Join(proofs, "*.tlog-proof"))
	must(err)
	if len(names) == 0 {
		log.Fatal("no proofs")
	}
	for _, name := range names {
		head, signed, found := strings.Cut(string(read(name)), "\n\n")
		if !found {
			log.Fatal("no checkpoint in a proof")
		}
		lines := strings.Split(head, "\n")
		index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
		must(err)
		proved := open([]byte(signed), vkey)
		entry := read(strings.TrimSuffix(name, "tlog-proof") + "entry")
		leaf := tlog.RecordHash(entry)
		must(tlog.CheckRecord(hashes(lines[2:]), proved.N, proved.Hash, index, leaf))
		own, err := tlog.ProveRecord(tree.N, index, reader)
		must(err)
		if fmt.Sprint(own) != fmt.Sprint(tlog.RecordProof(hashes(lines[2:]))) {
			log.Fatal("another proof")
		}
	}

	old := open(read(filepath.Join(proofs, "old")), vkey)
	consistency := strings.Split(strings.TrimSpace(string(read(filepath.Join(proofs, "consistency")))), "\n")
	must(tlog.CheckTree(hashes(consistency), tree.N, tree.Hash, old.N, old.Hash))

	secret, public, err := note.GenerateKey(nil, "go.example/key")
	must(err)
	signer, err := note.NewSigner(secret)
	must(err)
	signed, err := note.Sign(&note.Note{Text: "Go says so\n"}, signer)
	must(err)
	fmt.Printf("%s\n%s", public, signed)
}
