# Other projects' test suites: one row each, and what a row's words mean. Read by
# run.sh; a row's command runs in an empty directory of its own.
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # read and called by run.sh, by name
#
#   row NAME WHEN SECONDS READER NEEDS COMMAND…
#
#   WHEN     quick: in `make check` too; full: in `make suites` only; part: in
#            `make check` only, since a longer row holds all of it
#   SECONDS  after which a run of it is ended
#   READER   how results.py reads what single tests said
#   NEEDS    Debian packages, and source:PACKAGE for a source that is fetched and
#            built by build_PACKAGE, if there is one
rows() {
	local py tcl=tcl8.6,source:tcl8.6 redis=redis-server,tcl8.6,source:redis
	local compile=cmake,gcc,make
	py=$(readlink -e "$python") && py=lib${py##*/}-testsuite || py=python3 # which then says which

	row python-os              quick 300 junit $py cpython test_os test_posix test_fcntl test_pty test_popen test_file test_fileio test_openpty
	row python-fork            quick 300 junit $py cpython test_fork1 test_wait3 test_wait4
	row python-socket          full  400 junit $py cpython test_socket -i '*VSOCK*' # its peer is the machine's host
	row python-socket-basic    part  300 junit $py cpython test_socket -m '*Basic*' -m '*NonBlocking*' -m '*UnixDomain*' -m '*SendrecvmsgU*' -m '*SCM*' -m '*CreateServer*'
	row python-socketserver    quick 300 junit $py cpython -u network test_socketserver
	row python-select          quick 300 junit $py cpython test_select test_epoll test_asyncore test_asynchat test_smtpd
	row python-selectors       full  300 junit $py cpython test_selectors test_poll
	row python-http            quick 300 junit $py cpython test_httplib test_httpservers test_urllib2_localnet test_urllib2 test_wsgiref test_robotparser
	row python-mail            full  300 junit $py cpython test_ftplib test_smtplib test_poplib test_imaplib test_nntplib test_telnetlib
	row python-xmlrpc          full  300 junit $py cpython test_xmlrpc test_docxmlrpc
	row python-ssl             full  400 junit $py cpython test_ssl
	row python-asyncio         full  600 junit $py cpython test_asyncio
	row python-asyncio-net     part  300 junit $py cpython test_asyncio -m '*test_selector_events*' -m '*test_sock_lowlevel*' -m '*test_server*' -m '*test_unix_events*' -m '*test_streams*'
	row python-subprocess      full  300 junit $py cpython test_subprocess
	row python-subprocess-fds  part  300 junit $py cpython test_subprocess -m '*POSIXProcessTestCase*' -i '*signal*'
	row python-signal          full  400 junit $py cpython test_signal test_threadsignals test_eintr test_faulthandler
	row python-io              full  400 junit $py cpython test_io
	row python-logging         full  300 junit $py cpython test_logging test_support
	row python-threading       full  300 junit $py cpython test_threading
	row python-futures         full  800 junit $py cpython test_concurrent_futures
	row python-mp-fork         full  600 junit $py cpython test_multiprocessing_fork
	row python-mp-spawn        full  800 junit $py cpython test_multiprocessing_spawn
	row python-mp-forkserver   full  600 junit $py cpython test_multiprocessing_forkserver
	row tornado                full  300 unittest python3-tornado python3 -m tornado.test --verbose
	row twisted                full  600 trial python3-twisted,$py python3 -m twisted.trial --reporter=verbose twisted.internet twisted.web twisted.test.test_tcp twisted.test.test_process twisted.test.test_ftp
	row tcl-socket             full  300 tcltest $tcl tcl socket
	row tcl-http               full  150 tcltest $tcl tcl http http11 httpold
	row tcl-io                 full  400 tcltest $tcl tcl io ioCmd chan chanio exec event pid
	row redis-unit             full  800 redis $redis redis unit/printver unit/protocol unit/other unit/multi unit/pubsub unit/limits unit/networking unit/auth unit/info unit/introspection unit/quit unit/shutdown unit/tracking unit/querybuf unit/obuf-limits unit/pause
	row redis-files            full  800 redis $redis redis integration/aof integration/rdb integration/logging integration/redis-cli integration/redis-benchmark integration/shutdown
	row redis-replication      full  1200 redis $redis redis integration/replication-2 integration/replication-3 integration/replication-4 integration/replication-buffer integration/block-repl
	row libuv                  full  600 tap $compile,source:libuv1 libuv
	row libevent               full  600 tinytest $compile,libssl-dev,source:libevent libevent
	row glib-socket            quick 300 tap libglib2.0-tests glib socket socket-address socket-listener socket-service unix-fd unix-streams network-address inet-address pollable async-close-output-stream async-splice-output-stream
	row glib-spawn             quick 300 tap libglib2.0-tests glib spawn-singlethread spawn-test spawn-multithreaded spawn-path-search gsubprocess unix
	row glib-gio               full  600 tap libglib2.0-tests glib_all 'gdbus-|gio|socket|network|proxy|resolver|tls|unix|stream|pollable|cancellable|gsub|g-file|io-|iochannel|credentials|inet|task|async|debugcontroller|gapplication$|file$|fileutils|cond|once|mainloop|thread$|timeout|asyncqueue'
	row stress-ng              full  400 tap stress-ng stress 2000 sock sockpair sockfd sockabuse sockmany udp rawsock epoll poll pipe splice sendfile close dup fcntl open fork vfork clone daemon zombie wait kill pidfd exit-group seccomp
	row stress-ng-quick        part  300 tap stress-ng stress 300 sock sockpair sockfd sockabuse sockmany epoll close dup fcntl open fork vfork daemon zombie kill pidfd seccomp
}

# A mode: what is set, beside LD_PRELOAD. %log is a recording of the run's own.
modes() {
	mode recorded HALFCLOSE_LOG=%log HALFCLOSE_STACK=opens
	mode warned HALFCLOSE_WARN=stderr
	mode graceful HALFCLOSE_LOG=%log HALFCLOSE_GRACEFUL=all
}

# ---- The commands: $sources has what was fetched, $place is the run's own ----

cpython() { # cpython [MODULE | OPTION]…: the modules that this Python still has
	local word words=() version tests
	version=$(readlink -e "$python") tests=/usr/lib/${version##*/}/test
	for word; do
		[[ $word == test_* && ! -e $tests/$word.py && ! -d $tests/$word ]] || words+=("$word")
	done
	"$version" -m test --junit-xml "$place/junit.xml" -v "${words[@]}"
}

tcl() { # tcl FILE…: run where they are, as they write beside themselves
	local file status=0
	cp -r "$sources/tcl8.6/tests/." .
	for file; do
		echo "SUITE $file"
		tclsh8.6 "$file.test" -verbose 'pass skip start error body' || status=$?
	done
	return "$status"
}

redis() { # redis UNIT…: its tests, with Debian's binaries
	local tool units=()
	cp -r "$sources/redis/"{tests,utils,runtest,redis.conf,sentinel.conf} .
	mkdir src
	for tool in server cli benchmark check-aof check-rdb; do
		ln -s "/usr/bin/redis-$tool" "src/redis-$tool"
	done
	for tool; do units+=(--single "$tool"); done
	# one of its tests sets what this version can't be set to, and ends them all
	./runtest --clients 2 --skiptest '/Fullsync should not free scripting engine/' "${units[@]}"
}

build_libuv1() {
	cmake -S . -B b -DBUILD_TESTING=ON -DCMAKE_BUILD_TYPE=RelWithDebInfo && make -C b -j"$(nproc)" uv_run_tests_a
}
libuv() {
	cp -r "$sources/libuv1/test" .
	UV_RUN_AS_ROOT=1 "$sources/libuv1/b/uv_run_tests_a"
}

build_libevent() {
	cmake -S . -B b -DEVENT__LIBRARY_TYPE=STATIC -DEVENT__DISABLE_BENCHMARK=ON -DEVENT__DISABLE_SAMPLES=ON \
		-DEVENT__DISABLE_MBEDTLS=ON && make -C b -j"$(nproc)" regress
}
libevent() { "$sources/libevent/b/bin/regress"; }

glib() { # glib PROGRAM…: of its installed tests
	local dir=/usr/libexec/installed-tests/glib program status=0
	export G_TEST_SRCDIR=$dir G_TEST_BUILDDIR=$dir GIO_MODULE_DIR=
	for program; do
		echo "SUITE $program"
		timeout 100 "$dir/$program" --tap || status=$?
	done
	return "$status"
}
glib_all() { # glib_all PATTERN: those whose names match
	local programs
	mapfile -t programs < <(cd /usr/share/installed-tests/glib && printf '%s\n' *.test | sed 's/\.test$//' | grep -E "$1")
	glib "${programs[@]}"
}

stress() { # stress OPERATIONS STRESSOR…: each for itself
	local operations=$1 which status=0 number=0
	shift
	echo "1..$#"
	for which; do
		number=$((number + 1))
		if timeout 60 stress-ng "--$which" 1 "--$which-ops" "$operations" --verify -t 20 >log 2>&1; then
			grep -q skipping log && echo "ok $number - $which # SKIP" || echo "ok $number - $which"
		else
			echo "not ok $number - $which"
			cat log
			status=1
		fi
	done
	return "$status"
}
