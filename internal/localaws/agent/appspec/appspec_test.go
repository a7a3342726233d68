package appspec_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/agent/appspec"
)

const head = "version: 0.0\nos: linux\n"

func TestAWholeFile(t *testing.T) {
	t.Parallel()
	got, err := appspec.Parse([]byte(head + `
files:
  - source: /
    destination: /var/www
  - {source: 7, destination: "/srv"}
hooks:
  BeforeInstall:
  ApplicationStop:
    - location: " scripts/stop.sh "
      timeout: "60s"
      runas: ec2-user
    - location: scripts/more.sh
      sudo: yes
  AfterInstall:
    - location: a
      timeout: 1.9
permissions:
  - object: /var/www
    pattern: "*.html"
    except: [index.html, 5]
    owner: www
    group: 33
    mode: 0644
    acls: ["u:app:rw", "d:g::5", "m:r-x"]
    context: {name: system_u, type: httpd_sys_content_t, range: "s0-s2:c5,c0.c3"}
    type: [file]
  - object: /opt
    mode: 7
file_exists_behavior: RETAIN
resources: [ignored]
`))
	require.NoError(t, err)
	assert.Equal(t, &appspec.Spec{
		OS:    "linux",
		Files: []appspec.File{{Source: "/", Destination: "/var/www"}, {Source: "7", Destination: "/srv"}},
		Hooks: []appspec.Hook{
			{Event: "ApplicationStop", Scripts: []appspec.Script{
				{Location: "scripts/stop.sh", RunAs: "ec2-user", Timeout: 60}, {Location: "scripts/more.sh", Sudo: true, Timeout: 3600},
			}},
			{Event: "AfterInstall", Scripts: []appspec.Script{{Location: "a", Timeout: 1}}},
		},
		Permissions: []appspec.Permission{
			{
				Object: "/var/www", Pattern: "*.html", Except: []string{"index.html", "5"}, Types: []string{"file"}, Owner: "www", Group: "33",
				Mode: "420", // YAML's octal number
				ACL: []appspec.ACE{
					{Type: "user", Name: "app", Perm: "rw-"}, {Default: true, Type: "group", Perm: "r-x"}, {Type: "mask", Perm: "r-x"},
				},
				Context: &appspec.Context{User: "system_u", Type: "httpd_sys_content_t", Range: "s0-s2:c0.c3,c5"},
			},
			{Object: "/opt", Pattern: "**", Types: []string{"file", "directory"}, Mode: "007"},
		},
		FileExistsBehavior: "RETAIN",
	}, got)
	assert.Len(t, got.Scripts("ApplicationStop"), 2)
	assert.Empty(t, got.Scripts("ValidateService"))
}

func TestWhatTheAgentRefuses(t *testing.T) {
	t.Parallel()
	const again = " Update the permissions section of the AppSpec file, and then try again."
	permission := func(p string) string { return head + "permissions: [{object: /x, " + p + "}]" }
	tests := map[string]struct{ text, want string }{
		"empty":                 {"# nothing\n", "the application specification file was empty."},
		"text":                  {"hello", "an invalid version value () was entered"},
		"version":               {"version: 0.1\nos: linux", "an invalid version value (0.1) was entered"},
		"os before hooks":       {"version: 0.0\nos: aix\nhooks: {A: [{}]}", "unsupported operating system (aix)"},
		"no location":           {head + "hooks: {AfterInstall: [{location: ''}]}", "specifies a script with no location value."},
		"timeout of letters":    {head + "hooks: {AfterInstall: [{location: a, timeout: soon}]}", "an invalid timeout value was provided"},
		"timeout below zero":    {head + "hooks: {AfterInstall: [{location: a, timeout: -1}]}", "an invalid timeout value was provided"},
		"no source":             {head + "files: [{destination: /x}]", "specifies a destination file, but no source file."},
		"behavior":              {head + "file_exists_behavior: retain", "an invalid file_exists_behavior value (retain) was entered in the application specification file. Make sure your AppSpec file specifies one of DISALLOW,OVERWRITE,RETAIN as"},
		"no object":             {head + "permissions: [{mode: 644}]", "a permission listed in the application specification file has no object value."},
		"type":                  {permission("type: [link]"), "an object type not supported for permissions (link)." + again},
		"mode too long":         {permission("mode: 10644"), "the length of a permissions mode (10644) in the application specification file is invalid. Permissions modes must be between one and four characters long." + again},
		"mode with an eight":    {permission("mode: 08"), "the permissions mode (008) in the application specification file contains an invalid character (8)." + again},
		"mode of letters":       {permission("mode: u+x"), "contains an invalid character (u)"},
		"acl without a name":    {permission("acls: ['u::rw']"), "Use mode to set the base acl entry (u::rw)." + again},
		"acl for others":        {permission("acls: ['o:x:rw']"), "Invalid acl entry (o:x:rw)."},
		"acl of one part":       {permission("acls: ['rw']"), "Invalid acl entry (rw)."},
		"acl of five parts":     {permission("acls: ['d:u:a:b:rw']"), "Invalid acl entry (d:u:a:b:rw)."},
		"acl of a strange kind": {permission("acls: ['x:a:rw']"), "Invalid acl entry (x:a:rw)."},
		"acl permission":        {permission("acls: ['u:a:rwz']"), "(ACL) named u:a:rwz in the application specification file contains an invalid character (z)."},
		"context without type":  {permission("context: {name: u}"), `an invalid context type ({"name"=>"u"}).` + again},
		"range backwards":       {permission("context: {type: t, range: s3-s1}"), "a problem with the SELinux range specified (s3-s1)"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := appspec.Parse([]byte(test.text))
			invalid := &appspec.ValidationError{}
			require.ErrorAs(t, err, &invalid)
			assert.True(t, strings.HasPrefix(err.Error(), "The deployment failed because "), err)
			assert.Contains(t, err.Error(), test.want)
		})
	}
}

func TestRangesThatAreNone(t *testing.T) {
	t.Parallel()
	for r, want := range map[string]string{
		"":             "invalid range part ",
		"s0:":          "invalid range part s0:",
		"t0":           "invalid sensitivity t0",
		"s0-":          "invalid sensitivity ",
		"s0:c1024":     "invalid category c1024",
		"s0:c3.c1":     "invalid category range c3.c1",
		"s0:c1,c1":     "duplicate categories",
		"s0:c1.c3,c2":  "duplicate categories",
		"s0:c1,d2":     "invalid category d2",
		"s0:c1.c2.c3":  "invalid category c2.c3",
		"sx":           "invalid sensitivity sx",
		"s0:c99999999": "invalid category c99999999",
	} {
		_, err := appspec.Parse([]byte(head + "permissions: [{object: /x, context: {type: t, range: '" + r + "'}}]"))
		assert.EqualError(t, err, want, r)
	}
}

func TestSectionsOfTheWrongForm(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"hooks: [AfterInstall]":                  `read the AppSpec file: hooks: expected keys and values, found "[AfterInstall]"`,
		"hooks: {AfterInstall: a.sh}":            `read the AppSpec file: hooks: AfterInstall: expected a list, found "a.sh"`,
		"files: {source: a}":                     `read the AppSpec file: files: expected a list, found "{\"source\"=>\"a\"}"`,
		"files: [a]":                             `read the AppSpec file: files: expected keys and values, found "a"`,
		"permissions: [{object: a, type: file}]": `read the AppSpec file: permissions: type: expected a list, found "file"`,
		"files: &a [*a]":                         "read the AppSpec file: aliases are not supported",
		"? [a]\n: b":                             "read the AppSpec file: a key is not a scalar",
	} {
		_, err := appspec.Parse([]byte(head + text))
		require.EqualError(t, err, want, text)
	}
	_, err := appspec.Parse([]byte("version: ["))
	assert.ErrorContains(t, err, "read the AppSpec file: yaml: ")
}

func TestPatterns(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pattern, except, path string
		want                  bool
	}{
		{"**", "", "/a/b", true},
		{"**", "", "/a/b/c", true},
		{"**", "", "/a", false},
		{"**", "", "/ab", false},
		{"*", "", "/a/b", true},
		{"*", "", "/a/b/c", false},
		{"*.sh", "", "/a/b.sh", true},
		{"*.sh", "", "/a/.sh", true},
		{"*.sh", "", "/a/b.shx", false},
		{"a*b*c", "", "/a/axxbxxc", true},
		{"a*b*c", "", "/a/axxcxxb", false},
		{"ab*bc", "", "/a/abc", false},
		{"b?", "", "/a/bc", false},
		{"**", "*.sh", "/a/b.sh", false},
		{"**", "*.sh", "/a/c/b.sh", true},
		{"b", "", "/a/b", true},
	} {
		p := appspec.Permission{Object: "/a", Pattern: test.pattern}
		if test.except != "" {
			p.Except = []string{test.except}
		}
		assert.Equal(t, test.want, p.Matches("/a", test.path), "%+v", test)
	}
}

func TestFilesTakeNoPatternsAndNoDefaults(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		change func(*appspec.Permission)
		want   string
	}{
		{func(p *appspec.Permission) { p.Pattern = "*.sh" }, "includes an object (/a) with an invalid pattern (*.sh)"},
		{func(p *appspec.Permission) { p.Except = []string{"b", "c"} }, `the except parameter for a pattern in the permissions section (["b", "c"]) for the object named /a`},
		{func(p *appspec.Permission) { p.ACL = []appspec.ACE{{Default: true, Type: "user"}} }, "the -d parameter has been specified to apply an acl setting to a file."},
	} {
		p := appspec.Permission{Object: "/a", Pattern: "**", Types: []string{"file"}}
		require.NoError(t, p.CheckFile())
		test.change(&p)
		assert.ErrorContains(t, p.CheckFile(), test.want)
	}
}

func TestAccessControlListsAreCompleted(t *testing.T) {
	t.Parallel()
	for list, want := range map[string]string{
		"":                  "user::rw- group::r-- other::---",
		"u:app:rw":          "user:app:rw- user::rw- group::r-- other::--- mask::r--",
		"u:app:rw m:r":      "user:app:rw- mask::r-- user::rw- group::r-- other::---",
		"d:u:app:rw":        "default:user:app:rw- user::rw- group::r-- other::--- default:user::rw- default:group::r-- default:other::--- default:mask::r--",
		"d:u:app:rw d:g::6": "default:user:app:rw- default:group::rw- user::rw- group::r-- other::--- default:user::rw- default:other::--- default:mask::rw-",
	} {
		quoted := strings.Join(strings.Fields(list), "', '")
		if quoted != "" {
			quoted = "'" + quoted + "'"
		}
		s, err := appspec.Parse([]byte(head + "permissions: [{object: /x, acls: [" + quoted + "]}]"))
		require.NoError(t, err)
		var got []string
		for _, a := range s.Permissions[0].FullACL("0640") {
			got = append(got, a.String())
		}
		assert.Equal(t, want, strings.Join(got, " "), list)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(head + "hooks: {A: [{location: b, timeout: 1}]}\nfiles: [{source: a, destination: b}]\npermissions: [{object: a, mode: 7, acls: ['u:a:7']}]")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := appspec.Parse([]byte(text))
		if (s == nil) == (err == nil) {
			t.Errorf("either a file or an error: %v, %v", s, err)
		}
	})
}
