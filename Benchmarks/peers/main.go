// The peer: what a careful Go program does with the same webhooks. net/http, a signature check, and
// one writer that commits everything waiting in one transaction of SQLite, WAL, synchronous=FULL.
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	_ "github.com/mattn/go-sqlite3"
)

const groupMax = 1024

type webhook struct {
	body      []byte
	signature string
	done      chan error
}

func main() {
	address, path, secret := os.Args[1], os.Args[2], []byte(os.Args[3])
	db, err := sql.Open("sqlite3", path+"?_journal_mode=WAL&_synchronous=FULL&_busy_timeout=5000")
	if err != nil {
		log.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	create := `create table if not exists webhook (id integer primary key autoincrement,
		received_at integer not null, signature text not null, body blob not null) strict`
	if _, err := db.Exec(create); err != nil {
		log.Fatal(err)
	}
	waiting := make(chan webhook, 4096)
	go write(db, waiting)
	http.HandleFunc("/webhook", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 4<<20))
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		signature := r.Header.Get("X-Hub-Signature-256")
		if !isSigned(body, signature, secret) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		hook := webhook{body, signature, make(chan error, 1)}
		waiting <- hook
		if <-hook.done != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	log.Fatal(http.ListenAndServe(address, nil))
}

func isSigned(body []byte, signature string, secret []byte) bool {
	claimed, err := hex.DecodeString(strings.TrimPrefix(signature, "sha256="))
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write(body)
	return hmac.Equal(mac.Sum(nil), claimed)
}

// write stores everything that waits in one transaction, and then answers all of it.
func write(db *sql.DB, waiting chan webhook) {
	for first := range waiting {
		group := []webhook{first}
	gather:
		for len(group) < groupMax {
			select {
			case next := <-waiting:
				group = append(group, next)
			default:
				break gather
			}
		}
		err := store(db, group)
		for _, hook := range group {
			hook.done <- err
		}
	}
}

func store(db *sql.DB, group []webhook) error {
	transaction, err := db.Begin()
	if err != nil {
		return err
	}
	defer transaction.Rollback()
	insert, err := transaction.Prepare(
		"insert into webhook (received_at, signature, body) values (?, ?, ?)")
	if err != nil {
		return err
	}
	now := time.Now().UnixMilli()
	for _, hook := range group {
		if _, err := insert.Exec(now, hook.signature, hook.body); err != nil {
			return err
		}
	}
	return transaction.Commit()
}
