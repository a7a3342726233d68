// Command raw speaks the Runtime API by hand, and not always well. What it
// does is in the payload.
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
)

const base = "/2018-06-01/runtime/"

func main() {
	api := os.Getenv("AWS_LAMBDA_RUNTIME_API")
	for {
		res, err := http.Get("http://" + api + base + "invocation/next")
		if err != nil {
			os.Exit(9)
		}
		payload, _ := io.ReadAll(res.Body)
		id := res.Header.Get("Lambda-Runtime-Aws-Request-Id")
		post := func(path, body string) string {
			r, err := http.Post("http://"+api+base+path, "application/json", strings.NewReader(body))
			if err != nil {
				return err.Error()
			}
			b, _ := io.ReadAll(r.Body)
			return fmt.Sprint(r.StatusCode, " ", string(b))
		}
		switch string(payload) {
		case "wrong id":
			post("invocation/"+id+"/response", post("invocation/other/response", "stolen"))
		case "twice":
			post("invocation/"+id+"/response", "first")
			fmt.Println(post("invocation/"+id+"/response", "second"))
		case "no answer":
		case "unknown path":
			post("invocation/"+id+"/response", post("restore/next", ""))
		case "answer and exit":
			post("invocation/"+id+"/response", "answered")
			os.Exit(0)
		case "expect":
			say(api, "POST "+base+"invocation/"+id+"/response HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", "ok")
		case "trailer":
			say(api, "POST "+base+"invocation/"+id+"/response HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"+
				"Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n\r\n", "4\r\nhalf\r\n0\r\n"+
				"Lambda-Runtime-Function-Error-Type: Runtime.Broken\r\nLambda-Runtime-Function-Error-Body: eyJlcnJvclR5cGUiOiJSdW50aW1lLkJyb2tlbiJ9\r\n\r\n")
		case "child":
			c := exec.Command("sleep", "3600")
			c.Stdout, c.Stderr = os.Stdout, os.Stderr
			if err := c.Start(); err != nil {
				post("invocation/"+id+"/error", err.Error())
			}
			post("invocation/"+id+"/response", fmt.Sprint(c.Process.Pid))
		case "much":
			for range 100 {
				fmt.Println(strings.Repeat("x", 9999))
			}
			fmt.Println("end")
			post("invocation/"+id+"/response", "ok")
		default:
			post("invocation/"+id+"/response", fmt.Sprint(len(payload)))
		}
	}
}

// say sends a request in two parts and waits for the answer to each.
func say(api, head, body string) {
	c, err := net.Dial("tcp", api)
	if err != nil {
		os.Exit(8)
	}
	defer c.Close()
	in := bufio.NewReader(c)
	fmt.Fprint(c, head)
	if strings.Contains(head, "Expect") {
		_, _ = in.ReadString('\n')
		_, _ = in.ReadString('\n')
	}
	fmt.Fprint(c, body)
	_, _ = http.ReadResponse(in, nil)
}
