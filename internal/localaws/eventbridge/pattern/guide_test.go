package pattern_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/eventbridge/pattern"
)

// TestExamplesOfTheUserGuide holds the patterns that the EventBridge user guide
// shows for each comparison operator ("Comparison operators for use in event
// patterns"), with an event that it says matches and one that does not.
func TestExamplesOfTheUserGuide(t *testing.T) {
	for name, c := range map[string]struct{ pattern, matches, fails string }{
		"prefix": {`{"time":[{"prefix":"2017-10-02"}]}`, `{"time":"2017-10-02T16:24:49Z"}`, `{"time":"2017-11-02T16:24:49Z"}`},
		"prefix ignoring case": {
			`{"detail":{"service":[{"prefix":{"equals-ignore-case":"EventB"}}]}}`,
			`{"detail":{"service":"eventbridge"}}`, `{"detail":{"service":"event"}}`,
		},
		"suffix": {`{"FileName":[{"suffix":".png"}]}`, `{"FileName":"a.png"}`, `{"FileName":"a.png.txt"}`},
		"suffix ignoring case": {
			`{"detail":{"FileName":[{"suffix":{"equals-ignore-case":".png"}}]}}`, `{"detail":{"FileName":"a.PNG"}}`, `{"detail":{"FileName":"a.jpg"}}`,
		},
		"equals ignoring case": {
			`{"detail-type":[{"equals-ignore-case":"ec2 instance state-change notification"}]}`,
			`{"detail-type":"EC2 Instance State-change Notification"}`, `{"detail-type":"EC2 Instance"}`,
		},
		"anything but": {`{"detail":{"state":[{"anything-but":"initializing"}]}}`, `{"detail":{"state":"running"}}`, `{"detail":{"state":"initializing"}}`},
		"anything but a number": {
			`{"detail":{"x-limit":[{"anything-but":123}]}}`, `{"detail":{"x-limit":124}}`, `{"detail":{"x-limit":123}}`,
		},
		"anything but a list": {
			`{"detail":{"state":[{"anything-but":["stopped","overloaded"]}]}}`, `{"detail":{"state":"running"}}`, `{"detail":{"state":"overloaded"}}`,
		},
		"anything but a list of numbers": {
			`{"detail":{"x-limit":[{"anything-but":[100,200,300]}]}}`, `{"detail":{"x-limit":301.8}}`, `{"detail":{"x-limit":200}}`,
		},
		"anything but ignoring case": {
			`{"detail":{"state":[{"anything-but":{"equals-ignore-case":"initializing"}}]}}`,
			`{"detail":{"state":"running"}}`, `{"detail":{"state":"INITIALIZING"}}`,
		},
		"anything but a list ignoring case": {
			`{"detail":{"state":[{"anything-but":{"equals-ignore-case":["initializing","stopped"]}}]}}`,
			`{"detail":{"state":"running"}}`, `{"detail":{"state":"Stopped"}}`,
		},
		"anything but a prefix": {
			`{"detail":{"state":[{"anything-but":{"prefix":"init"}}]}}`, `{"detail":{"state":"running"}}`, `{"detail":{"state":"initializing"}}`,
		},
		"anything but prefixes": {
			`{"detail":{"state":[{"anything-but":{"prefix":["init","error"]}}]}}`, `{"detail":{"state":"running"}}`, `{"detail":{"state":"errored"}}`,
		},
		"anything but a suffix": {
			`{"detail":{"FileName":[{"anything-but":{"suffix":".txt"}}]}}`, `{"detail":{"FileName":"a.png"}}`, `{"detail":{"FileName":"a.txt"}}`,
		},
		"anything but suffixes": {
			`{"detail":{"FileName":[{"anything-but":{"suffix":[".txt",".rtf"]}}]}}`, `{"detail":{"FileName":"a.png"}}`, `{"detail":{"FileName":"a.rtf"}}`,
		},
		"anything but a wildcard": {
			`{"detail":{"FilePath":[{"anything-but":{"wildcard":"*/lib/*"}}]}}`, `{"detail":{"FilePath":"/usr/bin/a"}}`, `{"detail":{"FilePath":"/usr/lib/a"}}`,
		},
		"anything but wildcards": {
			`{"detail":{"FilePath":[{"anything-but":{"wildcard":["*/lib/*","*/bin/*"]}}]}}`,
			`{"detail":{"FilePath":"/etc/a"}}`, `{"detail":{"FilePath":"/usr/bin/a"}}`,
		},
		"numeric": {
			`{"detail":{"c-count":[{"numeric":[">",0,"<=",5]}],"d-count":[{"numeric":["<",10]}],"x-limit":[{"numeric":["=",3.018e2]}]}}`,
			`{"detail":{"c-count":5,"d-count":9,"x-limit":301.8}}`, `{"detail":{"c-count":6,"d-count":9,"x-limit":301.8}}`,
		},
		"address": {`{"detail":{"sourceIPAddress":[{"cidr":"10.0.0.0/24"}]}}`, `{"detail":{"sourceIPAddress":"10.0.0.255"}}`, `{"detail":{"sourceIPAddress":"10.0.1.0"}}`},
		"exists":  {`{"detail":{"state":[{"exists":true}]}}`, `{"detail":{"state":"running"}}`, `{"detail":{}}`},
		"does not exist": {
			`{"source":["aws.batch"],"detail":{"c-count":[{"exists":false}]}}`, `{"source":"aws.batch","detail":{}}`, `{"source":"aws.batch","detail":{"c-count":1}}`,
		},
		"wildcard":           {`{"EventBusArn":[{"wildcard":"*:event-bus/a*-prod"}]}`, `{"EventBusArn":"arn:aws:events:us-east-1:1:event-bus/app-prod"}`, `{"EventBusArn":"arn:aws:events:us-east-1:1:event-bus/app-test"}`},
		"wildcard of a file": {`{"FileName":[{"wildcard":"dir/*.png"}]}`, `{"FileName":"dir/a/b.png"}`, `{"FileName":"other/b.png"}`},
		"or of numbers": {
			`{"detail":{"$or":[{"c-count":[{"numeric":[">",0,"<=",5]}]},{"d-count":[{"numeric":["<",10]}]},{"x-limit":[{"numeric":["=",3.018e2]}]}]}}`,
			`{"detail":{"c-count":9,"d-count":20,"x-limit":301.8}}`, `{"detail":{"c-count":9,"d-count":20,"x-limit":1}}`,
		},
		"or of fields": {
			`{"source":["aws.cloudwatch"],"$or":[{"detail":{"metricName":["CPUUtilization","ReadLatency"]}},{"detail":{"namespace":["AWS/EC2","AWS/ES"]}}]}`,
			`{"source":"aws.cloudwatch","detail":{"metricName":"x","namespace":"AWS/ES"}}`, `{"source":"aws.cloudwatch","detail":{"metricName":"x","namespace":"y"}}`,
		},
		"several at once": {
			`{"time":[{"prefix":"2017-10-02"}],"detail":{"state":[{"anything-but":"initializing"}],"c-count":[{"numeric":[">",0,"<=",5]}],` +
				`"d-count":[{"numeric":["<",10]}],"x-limit":[{"anything-but":[100,200,300]}]}}`,
			`{"time":"2017-10-02T16:24:49Z","detail":{"state":"running","c-count":5,"d-count":3,"x-limit":301.8}}`,
			`{"time":"2017-10-02T16:24:49Z","detail":{"state":"running","c-count":5,"d-count":3,"x-limit":300}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := pattern.Parse(c.pattern)
			require.NoError(t, err)
			for event, want := range map[string]bool{c.matches: true, c.fails: false} {
				e, err := pattern.Decode([]byte(event))
				require.NoError(t, err)
				assert.Equal(t, want, p.Match(e), event)
			}
		})
	}
}
