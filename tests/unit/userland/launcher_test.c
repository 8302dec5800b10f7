// SPDX-License-Identifier: GPL-2.0
/*
 * launcher_test.c - the launcher from end to end, on a module that is not there
 *
 * Each case starts "ringfence run" in a process of its own, with a fake
 * rf_api.c below it, and does to it what people do.
 *
 * Sources: userland/config.c userland/run.c userland/vm.c userland/vcpu.c
 * Sources: userland/io.c userland/uart.c userland/serial.c userland/ata.c
 * Sources: userland/disk.c userland/atapi.c userland/media.c
 * Sources: userland/image.c userland/decompress.c
 * Sources: userland/start_info.c userland/console.c userland/console_ring.c
 * Sources: userland/tty.c userland/ctl.c userland/run_dir.c userland/report.c
 * Sources: userland/domain.c userland/store.c userland/store_tree.c
 * Sources: userland/store_ring.c userland/stop.c
 * Sources: userland/counters.c userland/sandbox.c userland/client.c
 * Sources: userland/disks.c userland/disk_spec.c userland/disk_client.c
 * Sources: userland/balloon.c userland/balloon_policy.c userland/balloon_client.c
 * Sources: userland/vcpus_client.c userland/nets.c userland/net_spec.c userland/link.c
 * Sources: userland/nbd.c userland/json.c userland/file.c userland/error.c
 * Libs: -lelf -llzma -lzstd -lz -llz4 -lbz2 -llzo2 -lcjson -lseccomp -lcap-ng
 * Libs: -lmnl -lm -lutil -pthread
 */
#include <dirent.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <utmp.h>

#include <cjson/cJSON.h>

#include "fake_module.h"
#include "make_image.h"
#include "tap.h"
#include "userland/balloon_client.h"
#include "userland/client.h"
#include "userland/disk_client.h"
#include "userland/run.h"
#include "userland/run_dir.h"
#include "userland/stop.h"
#include "userland/vcpus_client.h"

#define PATIENCE_MS	20000

/* The process under test, and the other ends of what it has. */
struct launcher {
	pid_t pid;
	int in;			/* its standard input */
	int out;		/* its standard output */
	int err;		/* its standard error */
	char said[1 << 21];	/* what came out, so far */
	size_t nr_said;
};

/* The sanitizers make system calls that a launcher must not make. */
#ifndef SECCOMP
#define SECCOMP	"--seccomp=off"
#endif

static char dir[64];
static char kernel[96];

static void make_dir(void)
{
	struct blob notes = notes_like_linux();
	struct blob elf, payload, file;
	char text[4096] = "text";
	FILE *out;

	strcpy(dir, "/tmp/rf-test-XXXXXX");
	if (!mkdtemp(dir))
		abort();
	elf = elf_make(&notes, text, sizeof(text));
	payload = pack_zstd(&elf);
	file = bzimage_make(&payload);
	snprintf(kernel, sizeof(kernel), "%s/vmlinuz", dir);
	out = fopen(kernel, "w");
	if (!out || fwrite(file.data, 1, file.len, out) != file.len)
		abort();
	fclose(out);
	blob_free(&file);
	blob_free(&payload);
	blob_free(&elf);
	blob_free(&notes);
}

/* Files in the run directory. */
static int nr_sockets(void)
{
	struct dirent *entry;
	char path[80];
	DIR *stream;
	int nr = 0;

	snprintf(path, sizeof(path), "%s/run", dir);
	stream = opendir(path);
	while (stream && (entry = readdir(stream)))
		nr += entry->d_name[0] != '.';
	if (stream)
		closedir(stream);
	return nr;
}

static struct rf_config parse(char *words)
{
	static char run_dir[80];
	struct rf_config config;
	struct rf_error err;
	char seccomp[] = SECCOMP;
	char *argv[32] = { "ringfence" };
	int argc = 1;

	for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	snprintf(run_dir, sizeof(run_dir), "--run-dir=%s/run", dir);
	argv[argc++] = run_dir;
	if (!strcmp(argv[1], "run"))
		argv[argc++] = seccomp;
	if (rf_config_parse(&config, argc, argv, &err)) {
		fprintf(stderr, "%s\n", err.text);
		_exit(RF_EXIT_USAGE);
	}
	return config;
}

static int run_verb(const char *line)
{
	static char words[256];
	struct rf_config config;

	snprintf(words, sizeof(words), "%s", line);
	config = parse(words);
	switch (config.verb) {
	case RF_VERB_RUN:
		config.memory = 32 << 20;
		config.kernel = config.kernel[0] == '/' ? config.kernel : kernel;
		return rf_run_main(&config);
	case RF_VERB_LIST:
		return rf_client_list(&config);
	case RF_VERB_CONSOLE:
		return rf_client_console(&config);
	case RF_VERB_DISKS:
		return rf_disk_client_list(&config);
	case RF_VERB_ATTACH_DISK:
		return rf_disk_client_attach(&config);
	case RF_VERB_DETACH_DISK:
		return rf_disk_client_detach(&config);
	case RF_VERB_BALLOON:
		return rf_balloon_client(&config);
	case RF_VERB_VCPUS:
		return rf_vcpus_client(&config);
	case RF_VERB_STOP:
	case RF_VERB_REBOOT:
		return rf_stop_main(&config);
	default:
		return rf_client_ask(&config);
	}
}

/* Start "ringfence @line"; @tty is its terminal, or -1 for pipes. */
static struct launcher *start(const char *line, int tty)
{
	struct launcher *l = calloc(1, sizeof(*l));
	int in[2], out[2], err[2], status;

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) ||
	    pipe2(err, O_CLOEXEC))
		abort();
	fflush(stdout);
	l->pid = fork();
	if (!l->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (tty >= 0) {
			login_tty(tty);
		} else {
			dup2(in[0], STDIN_FILENO);
			dup2(out[1], STDOUT_FILENO);
		}
		dup2(err[1], STDERR_FILENO);
		close(in[1]);
		alarm(60);
		status = run_verb(line);
		fflush(stdout);
		_exit(status);
	}
	close(in[0]);
	close(out[1]);
	close(err[1]);
	l->in = in[1];
	l->out = out[0];
	l->err = err[0];
	return l;
}

/* Wait until @text has been said on @fd.  Return: was it? */
static bool hear_on(struct launcher *l, int fd, const char *text)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	while (!strstr(l->said, text)) {
		ssize_t got;

		if (poll(&poll_fd, 1, PATIENCE_MS) <= 0)
			break;
		got = read(fd, l->said + l->nr_said,
			   sizeof(l->said) - l->nr_said - 1);
		if (got <= 0)
			break;
		l->nr_said += got;
	}
	if (strstr(l->said, text))
		return true;
	printf("# waited for \"%s\"; last came: %.200s\n", text,
	       l->said + (l->nr_said > 200 ? l->nr_said - 200 : 0));
	return false;
}

static bool hear(struct launcher *l, const char *text)
{
	return hear_on(l, l->out, text);
}

static void forget(struct launcher *l)
{
	l->nr_said = 0;
	memset(l->said, 0, sizeof(l->said));
}

static void type(struct launcher *l, const char *text)
{
	if (write(l->in, text, strlen(text)) < 0)
		printf("# nobody reads\n");
}

/* Wait for the end.  Return: exit status, or 1000 and the signal. */
static int finish(struct launcher *l)
{
	int status;

	while (waitpid(l->pid, &status, 0) < 0 && errno == EINTR)
		;
	close(l->in);
	close(l->out);
	close(l->err);
	free(l);
	return WIFEXITED(status) ? WEXITSTATUS(status) :
				   1000 + WTERMSIG(status);
}

/* Run a verb to its end, hearing @text on its output. */
static int verb_says(const char *line, const char *text)
{
	struct launcher *l = start(line, -1);

	if (text)
		EXPECT(hear(l, text));
	return finish(l);
}

static int verb_complains(const char *line, const char *text)
{
	struct launcher *l = start(line, -1);

	EXPECT(hear_on(l, l->err, text));
	return finish(l);
}

static void output_and_input_go_through(void)
{
	struct launcher *l = start("run -k k -c 4", -1);

	EXPECT(hear(l, "early\r\nhello\n"));
	type(l, "abp");
	EXPECT(hear(l, "hello\nabp"));
	EXPECT_EQ(finish(l), RF_EXIT_POWEROFF);
	EXPECT_EQ(nr_sockets(), 0);
}

static void a_busy_launcher_does_all_it_must(void)
{
	struct launcher *l = start("run -k k -c 2 --name a", -1);

	EXPECT(hear(l, "hello\n"));
	forget(l);
	type(l, "xr");
	EXPECT(hear(l, "xrearly\r\nhello\n"));
	EXPECT_EQ(verb_says("pause a", "a"), 0);
	EXPECT_EQ(verb_says("resume a", "a"), 0);
	EXPECT_EQ(verb_says("stats a", "switches"), 0);
	EXPECT_EQ(verb_says("info a", "running"), 0);
	type(l, "p");
	EXPECT_EQ(finish(l), RF_EXIT_POWEROFF);
	EXPECT_EQ(nr_sockets(), 0);
}

static void a_reboot_starts_afresh(void)
{
	struct launcher *l = start("run -k k --json", -1);

	for (int i = 0; i < 5; i++) {
		EXPECT(hear(l, "hello\n"));
		forget(l);
		type(l, "r");
	}
	EXPECT(hear(l, "hello\n"));
	type(l, "p");
	EXPECT(hear(l, "\"result\":\"poweroff\",\"status\":0,\"starts\":6"));
	EXPECT_EQ(finish(l), RF_EXIT_POWEROFF);
}

static void every_end_has_its_status(void)
{
	static const struct {
		const char *key;
		const char *line;
		const char *text;
		int status;
	} ends[] = {
		{ "p", "run -k k", NULL, RF_EXIT_POWEROFF },
		{ "r", "run -k k --no-reboot", NULL, RF_EXIT_REBOOT },
		{ "c", "run -k k", "crashed", RF_EXIT_CRASH },
		{ "w", "run -k k", "watchdog", RF_EXIT_CRASH },
		{ "k", "run -k k", "killed by the module: it wrote to the moon",
		  RF_EXIT_GUEST_KILLED },
	};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct launcher *l = start(ends[i].line, -1);

		EXPECT(hear(l, "hello\n"));
		type(l, ends[i].key);
		if (ends[i].text)
			EXPECT(hear_on(l, l->err, ends[i].text));
		EXPECT_EQ(finish(l), ends[i].status);
	}
}

static void a_killed_guest_says_where_it_was(void)
{
	struct launcher *l = start("run -k k -c 2", -1);

	EXPECT(hear(l, "hello\n"));
	type(l, "k");
	EXPECT(hear_on(l, l->err, "vCPU 1: kernel rip=1234"));
	EXPECT_EQ(finish(l), RF_EXIT_GUEST_KILLED);
}

static void signals_end_the_guest(void)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };

	for (size_t i = 0; i < 3; i++) {
		struct launcher *l = start("run -k k", -1);

		EXPECT(hear(l, "hello\n"));
		kill(l->pid, signals[i]);
		EXPECT(hear_on(l, l->err, "killed on request"));
		EXPECT_EQ(finish(l), RF_EXIT_KILLED);
		EXPECT_EQ(nr_sockets(), 0);
	}
}

static void kill_returns_when_the_guest_is_gone(void)
{
	struct launcher *l = start("run -k k --name a", -1);

	EXPECT(hear(l, "hello\n"));
	EXPECT_EQ(verb_says("kill a", "a"), 0);
	EXPECT_EQ(nr_sockets(), 0);
	EXPECT_EQ(finish(l), RF_EXIT_KILLED);
	EXPECT_EQ(verb_complains("kill a", "no guest 'a' runs"), 1);
}

static void a_paused_guest_can_be_killed(void)
{
	struct launcher *l = start("run -k k -c 4 --name a", -1);

	EXPECT(hear(l, "hello\n"));
	EXPECT_EQ(verb_says("pause a", "a"), 0);
	EXPECT_EQ(verb_says("kill a", "a"), 0);
	EXPECT_EQ(finish(l), RF_EXIT_KILLED);
}

static void a_paused_guest_does_not_run(void)
{
	struct launcher *l = start("run -k k -c 3 --name a", -1);

	EXPECT(hear(l, "hello\n"));
	EXPECT_EQ(verb_says("pause a", "a"), 0);
	EXPECT_EQ(verb_says("list", "paused"), 0);
	forget(l);
	type(l, "x");
	usleep(200000);
	fcntl(l->out, F_SETFL, O_NONBLOCK);
	EXPECT(read(l->out, l->said, 1) < 0);
	EXPECT_EQ(verb_says("resume a", "a"), 0);
	EXPECT(hear(l, "x"));
	type(l, "p");
	EXPECT_EQ(finish(l), RF_EXIT_POWEROFF);
}

static void stop_returns_when_the_guest_is_gone(void)
{
	struct launcher *l = start("run -k k -c 2 --name a", -1);

	EXPECT(hear(l, "hello\n"));
	EXPECT_EQ(verb_says("info a --json", "\"listens\":false,\"shutdown\":\"none\""), 0);
	type(l, "l");
	EXPECT(hear(l, "listens\n"));
	EXPECT_EQ(verb_says("info a --json", "\"listens\":true"), 0);
	EXPECT_EQ(verb_says("stop a --json", "\"asked\":\"poweroff\",\"listens\":"
			    "true,\"result\":\"poweroff\"}"), 0);
	EXPECT_EQ(nr_sockets(), 0);
	EXPECT_EQ(finish(l), RF_EXIT_POWEROFF);
}

/* And the next guest finds a store of its own. */
static void reboot_returns_when_the_guest_does_it(void)
{
	struct launcher *l = start("run -k k --name a", -1);

	for (int i = 0; i < 2; i++) {
		EXPECT(hear(l, "hello\n"));
		type(l, "l");
		EXPECT(hear(l, "listens\n"));
		forget(l);
		EXPECT_EQ(verb_says("reboot a --json", "\"result\":\"reboot\""), 0);
	}
	EXPECT(hear(l, "hello\n"));
	EXPECT_EQ(verb_says("info a", "reboots                  2"), 0);
	EXPECT_EQ(verb_says("info a --json", "\"listens\":false,\"shutdown\":\"none\""), 0);
	type(l, "p");
	EXPECT_EQ(finish(l), RF_EXIT_POWEROFF);
}

static void stop_finds_a_guest_that_listens_later(void)
{
	struct launcher *l = start("run -k k --name a", -1);
	struct launcher *stop;

	EXPECT(hear(l, "hello\n"));
	stop = start("stop a", -1);
	EXPECT(hear_on(stop, stop->err, "nobody in the guest listens yet; waiting"));
	type(l, "l");
	EXPECT_EQ(finish(stop), 0);
	EXPECT_EQ(finish(l), RF_EXIT_POWEROFF);
}

static void stop_says_why_it_did_not_work(void)
{
	struct launcher *l = start("run -k k --name a", -1);

	EXPECT(hear(l, "hello\n"));
	EXPECT_EQ(verb_complains("stop a --timeout 1",
				 "nobody in the guest has listened for 1 s"), 1);
	type(l, "d");
	EXPECT(hear(l, "taken\n"));
	EXPECT_EQ(verb_says("info a", "taken"), 0);
	EXPECT_EQ(verb_complains("stop a --timeout 1",
				 "took note but still runs after 1 s"), 1);
	EXPECT_EQ(verb_says("pause a", "a"), 0);
	EXPECT_EQ(verb_complains("stop a", "it is paused"), 1);
	EXPECT_EQ(verb_says("kill a", "a"), 0);
	EXPECT_EQ(finish(l), RF_EXIT_KILLED);
}

static void a_balloon_is_sized_and_watched(void)
{
	struct launcher *l = start("run -k k --name a", -1);

	EXPECT(hear(l, "hello\n"));
	EXPECT_EQ(verb_says("balloon a --json",
			    "\"memory\":33554432,\"target\":33554432,"
			    "\"kept\":33554432,\"reported_free\":12288,"
			    "\"driver\":true,\"auto\":false,"
			    "\"guest\":{\"free\":4096}"), 0);
	EXPECT_EQ(verb_says("balloon a 16M --timeout 0 --json",
			    "\"target\":16777216"), 0);
	EXPECT_EQ(verb_complains("balloon a 16M --timeout 1",
				 "after 1 s the guest keeps 32M and not 16M"), 1);
	EXPECT_EQ(verb_says("balloon a 32M", "33554432"), 0);
	EXPECT_EQ(verb_complains("balloon a 33M", "was started with 32M"), 1);
	EXPECT_EQ(verb_complains("balloon a 1K", "is no size"), 2);
	EXPECT_EQ(verb_says("kill a", "a"), 0);
	EXPECT_EQ(finish(l), RF_EXIT_KILLED);
}

/* Its kernel is told of each vCPU, if it listens. */
static void vcpus_are_asked_for(void)
{
	struct launcher *l = start("run -k k --name a -c 4", -1);

	EXPECT(hear(l, "hello\n"));
	EXPECT_EQ(verb_says("vcpus a --json", "\"vcpus\":4,\"wanted\":4,"), 0);
	EXPECT_EQ(verb_complains("vcpus a 3 --timeout 1",
				 "nobody in the guest has listened for 1 s"), 1);
	EXPECT_EQ(verb_says("vcpus a --json", "\"wanted\":3,"), 0);
	EXPECT_EQ(verb_says("vcpus a 2 --timeout 0 --json",
			    "\"wanted\":2,\"online\":4,\"listens\":false"), 0);
	EXPECT_EQ(verb_complains("vcpus a 5", "it has 4 vCPUs"), 1);
	EXPECT_EQ(verb_complains("vcpus a 0", "is no number from 1"), 2);
	EXPECT_EQ(verb_complains("vcpus a 2 3", "what is '3' for"), 2);
	EXPECT_EQ(verb_says("pause a", "a"), 0);
	EXPECT_EQ(verb_complains("vcpus a 1", "it is paused"), 1);
	EXPECT_EQ(verb_says("kill a", "a"), 0);
	EXPECT_EQ(finish(l), RF_EXIT_KILLED);
}

static void stop_need_not_wait(void)
{
	struct launcher *l = start("run -k k --name a", -1);

	EXPECT(hear(l, "hello\n"));
	EXPECT_EQ(verb_says("stop a --timeout 0", "poweroff"), 0);
	EXPECT_EQ(verb_says("info a", "unheard"), 0);
	type(l, "l");
	EXPECT_EQ(finish(l), RF_EXIT_POWEROFF);
}

static void stop_can_be_made_to_work(void)
{
	struct launcher *l = start("run -k k --name a", -1);

	EXPECT(hear(l, "hello\n"));
	EXPECT_EQ(verb_says("stop a --timeout 1 --force --json",
			    "\"result\":\"killed\""), 0);
	EXPECT_EQ(nr_sockets(), 0);
	EXPECT_EQ(finish(l), RF_EXIT_KILLED);
}

static void stop_tells_another_end_from_its_own(void)
{
	struct launcher *l = start("run -k k --name a", -1);

	EXPECT(hear(l, "hello\n"));
	type(l, "o");
	EXPECT(hear(l, "listens\n"));
	EXPECT_EQ(verb_complains("stop a", "asked for poweroff, and its end was: "
					   "crash"), 1);
	EXPECT_EQ(finish(l), RF_EXIT_CRASH);
}

static void a_broken_store_hurts_only_its_guest(void)
{
	struct launcher *l = start("run -k k --name a", -1);

	EXPECT(hear(l, "hello\n"));
	type(l, "g");
	EXPECT(hear_on(l, l->err, "its store is closed: its ring makes no sense"));
	EXPECT_EQ(verb_complains("stop a", "its store is closed"), 1);
	EXPECT_EQ(verb_says("info a", "running"), 0);
	forget(l);
	type(l, "r");
	EXPECT(hear(l, "hello\n"));
	type(l, "l");
	EXPECT(hear(l, "listens\n"));
	EXPECT_EQ(verb_says("stop a", "poweroff"), 0);
	EXPECT_EQ(finish(l), RF_EXIT_POWEROFF);
}

static void people_can_attach_and_see_what_was_said(void)
{
	struct launcher *l = start("run -k k --name a --console socket", -1);
	struct launcher *one, *two;

	while (nr_sockets() == 0)
		usleep(10000);
	one = start("console a", -1);
	EXPECT(hear(one, "early\r\nhello\n"));
	two = start("console a", -1);
	EXPECT(hear(two, "early\r\nhello\n"));
	type(one, "x");
	EXPECT(hear(one, "hello\nx"));
	EXPECT(hear(two, "hello\nx"));
	kill(one->pid, SIGKILL);
	finish(one);
	type(two, "yp");
	EXPECT(hear(two, "hello\nxyp"));
	EXPECT_EQ(finish(two), 0);
	EXPECT_EQ(finish(l), RF_EXIT_POWEROFF);
}

static void nobody_attaches_to_no_console(void)
{
	struct launcher *l = start("run -k k --name a --console none", -1);

	while (nr_sockets() == 0)
		usleep(10000);
	EXPECT_EQ(verb_complains("console a", "--console none"), 1);
	EXPECT_EQ(verb_says("kill a", "a"), 0);
	EXPECT_EQ(finish(l), RF_EXIT_KILLED);
}

static void a_file_takes_the_console(void)
{
	char line[160], said[64] = "";
	struct launcher *l, *person;
	int fd;

	snprintf(line, sizeof(line), "run -k k --name a --console file:%s/log",
		 dir);
	l = start(line, -1);
	while (nr_sockets() == 0)
		usleep(10000);
	person = start("console a", -1);
	EXPECT(hear(person, "hello\n"));
	type(person, "p");
	EXPECT_EQ(finish(l), RF_EXIT_POWEROFF);
	finish(person);
	snprintf(line, sizeof(line), "%s/log", dir);
	fd = open(line, O_RDONLY);
	EXPECT(read(fd, said, sizeof(said) - 1) > 0);
	EXPECT(!strcmp(said, "early\r\nhello\np"));
	close(fd);
	unlink(line);
}

/* Nothing is lost on a terminal or a pipe: the guest waits. */
static void a_flood_arrives_whole(void)
{
	struct launcher *l = start("run -k k", -1);
	size_t nr = 0;

	EXPECT(hear(l, "hello\n"));
	type(l, "f");
	usleep(300000);
	EXPECT(hear(l, "flood ends\n"));
	for (size_t i = 0; i < l->nr_said; i++)
		nr += l->said[i] == 'x';
	EXPECT_EQ(nr, 1000000);
	type(l, "p");
	EXPECT_EQ(finish(l), RF_EXIT_POWEROFF);
}

static void a_stuck_reader_does_not_hold_the_end_up(void)
{
	struct launcher *l = start("run -k k --name a", -1);
	time_t before = time(NULL);

	EXPECT(hear(l, "hello\n"));
	type(l, "f");
	usleep(300000);
	EXPECT_EQ(verb_says("kill a", "a"), 0);
	EXPECT_EQ(finish(l), RF_EXIT_KILLED);
	EXPECT(time(NULL) - before < 15);
}

static void a_name_is_taken_once(void)
{
	struct launcher *l = start("run -k k --name a", -1);

	EXPECT(hear(l, "hello\n"));
	EXPECT_EQ(verb_complains("run -k k --name a", "runs already"),
		  RF_EXIT_ERROR);
	EXPECT_EQ(nr_sockets(), 1);
	type(l, "p");
	EXPECT_EQ(finish(l), RF_EXIT_POWEROFF);
}

static void what_sigkill_leaves_is_cleaned_up(void)
{
	struct launcher *l = start("run -k k --name a", -1);

	EXPECT(hear(l, "hello\n"));
	kill(l->pid, SIGKILL);
	EXPECT_EQ(finish(l), 1000 + SIGKILL);
	EXPECT_EQ(nr_sockets(), 1);
	EXPECT_EQ(verb_says("list", "NAME"), 0);
	EXPECT_EQ(nr_sockets(), 0);

	l = start("run -k k --name a", -1);
	EXPECT(hear(l, "hello\n"));
	kill(l->pid, SIGKILL);
	finish(l);
	l = start("run -k k --name a", -1);
	EXPECT(hear(l, "hello\n"));
	type(l, "p");
	EXPECT_EQ(finish(l), RF_EXIT_POWEROFF);
}

static void json_is_json(void)
{
	static const char *const lines[] = {
		"list --json", "info a --json", "stats a --json",
		"pause a --json", "resume a --json",
	};
	struct launcher *l = start("run -k k --name a -c 2", -1);

	EXPECT(hear(l, "hello\n"));
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct launcher *verb = start(lines[i], -1);
		cJSON *answer;

		EXPECT(hear(verb, "\n"));
		answer = cJSON_Parse(verb->said);
		EXPECT(answer);
		if (answer && i == 2) {
			EXPECT_EQ(cJSON_GetObjectItem(answer, "switches")->valuedouble, 1000);
			EXPECT_EQ(cJSON_GetObjectItem(answer, "shadow_pages")->valuedouble, 11);
			EXPECT(cJSON_GetObjectItem(cJSON_GetObjectItem(answer, "vcpu1"),
						   "notifier_zap"));
		}
		cJSON_Delete(answer);
		EXPECT_EQ(finish(verb), 0);
	}
	type(l, "p");
	EXPECT_EQ(finish(l), RF_EXIT_POWEROFF);
}

/* The launcher may open nothing: who attaches a disk passes it on. */
static void disks_come_and_go_while_it_runs(void)
{
	struct launcher *l;
	char image[80], line[200];

	snprintf(image, sizeof(image), "%s/disk.img", dir);
	fclose(fopen(image, "w"));
	snprintf(line, sizeof(line), "run -k k --name a --disk %s,serial=first", image);
	l = start(line, -1);
	EXPECT(hear(l, "hello\n"));
	EXPECT_EQ(verb_says("disks a", "first"), 0);

	snprintf(line, sizeof(line), "attach-disk a %s,serial=second,readonly", image);
	EXPECT_EQ(verb_says(line, "second"), 0);
	EXPECT_EQ(verb_says("disks a --json", "\"slot\":2"), 0);
	snprintf(line, sizeof(line), "attach-disk a %s,offset=1", image);
	EXPECT_EQ(verb_complains(line, "do not fit"), 1);
	EXPECT_EQ(verb_complains("attach-disk a /nowhere", "/nowhere"), 1);
	EXPECT_EQ(verb_complains("attach-disk a /dev/null", "neither a file"), 1);
	EXPECT_EQ(verb_complains("detach-disk a 7", "no disk '7'"), 1);

	EXPECT_EQ(verb_says("detach-disk a second --json", "\"gone\":true"), 0);
	EXPECT_EQ(verb_complains("detach-disk a 2", "no disk '2'"), 1);
	EXPECT_EQ(verb_says("detach-disk a 1 --force", "gone"), 0);
	EXPECT_EQ(verb_complains("detach-disk a first", "no disk 'first'"), 1);
	type(l, "p");
	EXPECT_EQ(finish(l), 0);
	unlink(image);
}

static void garbage_on_the_socket_is_survived(void)
{
	static const char *const requests[] = {
		"\n", "{}\n", "[1,2\n", "{\"verb\":17}\n",
		"{\"verb\":\"dance\"}\n", "\x80\xff\n", "{\"verb\":\"info\"",
	};
	struct launcher *l = start("run -k k --name a", -1);
	char run_dir[80], big[4096];
	struct rf_error err;
	int fd;

	EXPECT(hear(l, "hello\n"));
	snprintf(run_dir, sizeof(run_dir), "%s/run", dir);
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		char answer[256] = "";

		fd = rf_run_dir_connect(run_dir, "a", &err);
		EXPECT(send(fd, requests[i], strlen(requests[i]), 0) > 0);
		if (i < 6) {
			EXPECT(recv(fd, answer, sizeof(answer) - 1, 0) > 0);
			EXPECT(strstr(answer, "\"ok\":false"));
		}
		close(fd);
	}
	memset(big, 'x', sizeof(big));
	fd = rf_run_dir_connect(run_dir, "a", &err);
	send(fd, big, sizeof(big), MSG_NOSIGNAL);
	close(fd);
	EXPECT_EQ(verb_says("info a", "running"), 0);
	type(l, "p");
	EXPECT_EQ(finish(l), RF_EXIT_POWEROFF);
}

/* A terminal for a launcher.  Return: our end. */
static int open_tty(int *tty)
{
	int master;

	if (openpty(&master, tty, NULL, NULL, NULL))
		abort();
	fcntl(master, F_SETFD, FD_CLOEXEC);
	return master;
}

static bool is_raw(int master)
{
	struct termios mode;

	tcgetattr(master, &mode);
	return !(mode.c_lflag & ICANON);
}

static void a_terminal_is_given_back(void)
{
	static const char *const ways[] = { "p", "\x1d\x1d", NULL, NULL, NULL };
	static const int signals[] = { 0, 0, SIGTERM, SIGSEGV, SIGABRT };

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		int tty, master = open_tty(&tty);
		struct launcher *l = start("run -k k", tty);

		EXPECT(hear_on(l, l->err, "^] ^] ends the guest"));
		EXPECT(hear_on(l, master, "hello\n"));
		EXPECT(is_raw(master));
		if (ways[i])
			EXPECT(write(master, ways[i], strlen(ways[i])) > 0);
		else
			kill(l->pid, signals[i]);
		finish(l);
		EXPECT(!is_raw(master));
		close(master);
		close(tty);
	}
	/* Those that crashed could not take their sockets with them. */
	EXPECT_EQ(verb_says("list", "NAME"), 0);
	EXPECT_EQ(nr_sockets(), 0);
}

static void escape_detaches_from_the_console(void)
{
	struct launcher *l = start("run -k k --name a", -1), *person;
	int tty, master = open_tty(&tty);

	EXPECT(hear(l, "hello\n"));
	person = start("console a", tty);
	EXPECT(hear_on(person, person->err, "^] detaches"));
	EXPECT(hear_on(person, master, "hello\n"));
	EXPECT(is_raw(master));
	EXPECT(write(master, "x\x1d", 2) == 2);
	EXPECT_EQ(finish(person), 0);
	EXPECT(!is_raw(master));
	EXPECT(hear(l, "hello\nx"));
	type(l, "p");
	EXPECT_EQ(finish(l), RF_EXIT_POWEROFF);
	close(master);
	close(tty);
}

/* Is the line in /proc/PID/status, and does it say so? */
static bool status_says(pid_t pid, const char *key, const char *value)
{
	char path[32], line[256];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, key, strlen(key)) && strstr(line, value))
			found = true;
	if (file)
		fclose(file);
	return found;
}

static void no_privilege_is_kept(void)
{
	struct launcher *l = start("run -k k --name a", -1);

	EXPECT(hear(l, "hello\n"));
	EXPECT(status_says(l->pid, "NoNewPrivs:", "1"));
	EXPECT(status_says(l->pid, "CapEff:", "0000000000000000"));
	EXPECT(status_says(l->pid, "CapPrm:", "0000000000000000"));
	EXPECT(status_says(l->pid, "Seccomp:",
			   strstr(SECCOMP, "on") ? "2" : "0"));
	type(l, "p");
	EXPECT_EQ(finish(l), RF_EXIT_POWEROFF);
}

static void root_becomes_somebody_else(void)
{
	struct launcher *l;
	char path[80];

	if (geteuid())
		return;
	chmod(dir, 0755);
	l = start("run -k k --name a --user nobody", -1);
	EXPECT(hear(l, "hello\n"));
	EXPECT(status_says(l->pid, "Uid:", "65534\t65534\t65534\t65534"));
	EXPECT(status_says(l->pid, "Gid:", "65534\t65534\t65534\t65534"));
	EXPECT(status_says(l->pid, "Groups:", "Groups:\t ") ||
	       status_says(l->pid, "Groups:", "65534 "));
	EXPECT(status_says(l->pid, "CapBnd:", "0000000000000000"));
	EXPECT(status_says(l->pid, "CapEff:", "0000000000000000"));
	EXPECT_EQ(verb_says("list", "running"), 0);
	EXPECT_EQ(verb_says("kill a", "a"), 0);
	EXPECT_EQ(finish(l), RF_EXIT_KILLED);
	EXPECT_EQ(verb_complains("info a", "no guest 'a' runs"), 1);
	snprintf(path, sizeof(path), "%s/run/65534", dir);
	EXPECT(!rmdir(path));
}

static void set_up_that_fails_leaves_nothing(void)
{
	char line[128];

	fake.open_error = -ENOENT;
	EXPECT_EQ(verb_complains("run -k k", "load the module"), RF_EXIT_ERROR);
	fake.open_error = -EACCES;
	EXPECT_EQ(verb_complains("run -k k", "no permission"), RF_EXIT_ERROR);
	fake.open_error = 0;
	EXPECT_EQ(verb_complains("run -k k -c 5", "at most 4 vCPUs"),
		  RF_EXIT_ERROR);
	EXPECT_EQ(verb_complains("run -k /nowhere/vmlinuz", "No such file"),
		  RF_EXIT_ERROR);
	EXPECT_EQ(verb_complains("run -k /dev/null", "not a regular file"),
		  RF_EXIT_ERROR);
	EXPECT_EQ(verb_complains("run -k /proc/self/exe", "cannot use"),
		  RF_EXIT_ERROR);
	EXPECT_EQ(verb_complains("run -k k -i /nowhere/initrd", "No such file"),
		  RF_EXIT_ERROR);
	EXPECT_EQ(verb_complains("run -k k --console file:/nowhere/x",
				 "cannot write the console"), RF_EXIT_ERROR);
	EXPECT_EQ(verb_complains("run -k k --user nobody-at-all",
				 geteuid() ? "only root" : "no such user"),
		  RF_EXIT_ERROR);
	snprintf(line, sizeof(line), "run -k k -i %s", kernel);
	EXPECT_EQ(nr_sockets(), 0);
}

static void devices_need_their_files(void)
{
	char path[80], line[256];

	snprintf(path, sizeof(path), "%s/disk", dir);
	EXPECT_EQ(verb_complains("run -k k --ata /nowhere/disk", "No such file"), RF_EXIT_ERROR);
	EXPECT_EQ(verb_complains("run -k k --cdrom /dev/null", "neither a file"), RF_EXIT_ERROR);
	EXPECT_EQ(verb_complains("run -k k --serial file:/nowhere/x", "cannot write the serial"),
		  RF_EXIT_ERROR);
	EXPECT_EQ(verb_complains("run -k k --serial socket:/nowhere/x", "serial port's socket"),
		  RF_EXIT_ERROR);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	snprintf(line, sizeof(line), "run -k k --ata %s", path);
	EXPECT_EQ(verb_complains(line, "not a multiple of 512"), RF_EXIT_ERROR);
	EXPECT(!truncate(path, 1536));
	snprintf(line, sizeof(line), "run -k k --cdrom %s", path);
	EXPECT_EQ(verb_complains(line, "not a multiple of 2048"), RF_EXIT_ERROR);
	snprintf(line, sizeof(line), "run -k k --ata %s --ata %s", path, path);
	EXPECT_EQ(verb_complains(line, "another guest has it"), RF_EXIT_ERROR);
	/* What is there is not a socket, and stays. */
	snprintf(line, sizeof(line), "run -k k --serial socket:%s", path);
	EXPECT_EQ(verb_complains(line, "in use"), RF_EXIT_ERROR);
	EXPECT_EQ(access(path, F_OK), 0);
	unlink(path);
	EXPECT_EQ(nr_sockets(), 0);
}

static const struct tap_case cases[] = {
	TAP_CASE(output_and_input_go_through),
	TAP_CASE(a_busy_launcher_does_all_it_must),
	TAP_CASE(a_reboot_starts_afresh),
	TAP_CASE(every_end_has_its_status),
	TAP_CASE(a_killed_guest_says_where_it_was),
	TAP_CASE(signals_end_the_guest),
	TAP_CASE(kill_returns_when_the_guest_is_gone),
	TAP_CASE(a_paused_guest_can_be_killed),
	TAP_CASE(a_paused_guest_does_not_run),
	TAP_CASE(stop_returns_when_the_guest_is_gone),
	TAP_CASE(reboot_returns_when_the_guest_does_it),
	TAP_CASE(stop_finds_a_guest_that_listens_later),
	TAP_CASE(stop_says_why_it_did_not_work),
	TAP_CASE(a_balloon_is_sized_and_watched), TAP_CASE(vcpus_are_asked_for),
	TAP_CASE(stop_need_not_wait),
	TAP_CASE(stop_can_be_made_to_work),
	TAP_CASE(stop_tells_another_end_from_its_own),
	TAP_CASE(a_broken_store_hurts_only_its_guest),
	TAP_CASE(people_can_attach_and_see_what_was_said),
	TAP_CASE(nobody_attaches_to_no_console),
	TAP_CASE(a_file_takes_the_console),
	TAP_CASE(a_flood_arrives_whole),
	TAP_CASE(a_stuck_reader_does_not_hold_the_end_up),
	TAP_CASE(a_name_is_taken_once),
	TAP_CASE(what_sigkill_leaves_is_cleaned_up),
	TAP_CASE(json_is_json),
	TAP_CASE(disks_come_and_go_while_it_runs),
	TAP_CASE(garbage_on_the_socket_is_survived),
	TAP_CASE(a_terminal_is_given_back),
	TAP_CASE(escape_detaches_from_the_console),
	TAP_CASE(no_privilege_is_kept),
	TAP_CASE(root_becomes_somebody_else),
	TAP_CASE(set_up_that_fails_leaves_nothing),
	TAP_CASE(devices_need_their_files),
};

int main(void)
{
	char path[80];
	int ret;

	signal(SIGPIPE, SIG_IGN);
	make_dir();
	ret = TAP_RUN(cases);
	unlink(kernel);
	snprintf(path, sizeof(path), "%s/run", dir);
	rmdir(path);
	rmdir(dir);
	return ret;
}
