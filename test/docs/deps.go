//go:build deps

// Package docs names what the snippets of the documentation import, so that
// `go mod tidy` keeps it. It is never built.
package docs

import (
	_ "github.com/gin-contrib/sessions"
	_ "github.com/gin-contrib/sessions/cookie"
	_ "github.com/gin-gonic/gin"
	_ "github.com/golang-jwt/jwt/v5"
	_ "golang.org/x/time/rate"

	_ "github.com/sio-gnet/sio-gnet"
	_ "github.com/sio-gnet/sio-gnet/broadcast"
	_ "github.com/sio-gnet/sio-gnet/clientbundle"
	_ "github.com/sio-gnet/sio-gnet/codec/msgpack"
	_ "github.com/sio-gnet/sio-gnet/engine"
	_ "github.com/sio-gnet/sio-gnet/siotest"
)
