// Package page has the web pages of the chats in this folder.
package page

import (
	_ "embed"
	"io/fs"
	"log"

	"github.com/sio-gnet/sio-gnet/clientbundle"
)

// HTML is a chat with rooms. It needs Socket.IO's client at its usual path.
//
//go:embed index.html
var HTML []byte

// Login is a chat with one room for people who log in.
//
//go:embed login.html
var Login []byte

// Client returns the files of Socket.IO's client. Without them, it says in the log
// how to get them, and so does the page; all else works.
func Client() fs.FS {
	files, err := clientbundle.FS()
	if err != nil {
		log.Println(err)
		return nil
	}
	return files
}
