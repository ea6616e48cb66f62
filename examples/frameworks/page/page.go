// Package page is the web page of the chats in this folder.
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

// Client returns the files of Socket.IO's client. Without them all but the page
// works.
func Client() fs.FS {
	files, err := clientbundle.FS()
	if err != nil {
		log.Println(err)
		return nil
	}
	return files
}
