// SPDX-License-Identifier: GPL-2.0
/*
 * config.c - argv to struct rf_config, and nothing else that reads argv  (pure)
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "ringfence.h"

#define MIN_MEMORY	(4ULL << 20)
#define MAX_MEMORY	(255ULL << 30)
#define MAX_NAME	48
#define MAX_TIMEOUT	86400

enum option_value {
	OPT_ATA = 256,
	OPT_BALLOON,
	OPT_CDROM,
	OPT_CONSOLE,
	OPT_DISK,
	OPT_EXTRACT,
	OPT_FORCE,
	OPT_HELP,
	OPT_JSON,
	OPT_NAME,
	OPT_NET,
	OPT_NO_REBOOT,
	OPT_RUN_DIR,
	OPT_SECCOMP,
	OPT_SERIAL,
	OPT_TIMEOUT,
	OPT_USER,
};

/* Which arguments a verb takes. */
enum verb_takes {
	TAKES_NOTHING,
	TAKES_NAME,
	TAKES_KERNEL,
	TAKES_NAME_AND_DISK,
	TAKES_NAME_AND_SIZE,
	TAKES_NAME_AND_VCPUS,
};

struct verb {
	const char *name;
	enum rf_verb verb;
	enum verb_takes takes;
	const char *options;	/* space-separated long names */
};

static const struct verb verbs[] = {
	{ "run", RF_VERB_RUN, TAKES_NOTHING,
	  "kernel initrd cmdline memory cpus name console disk net balloon serial ata cdrom "
	  "no-reboot seccomp user run-dir json" },
	{ "inspect", RF_VERB_INSPECT, TAKES_KERNEL, "kernel extract json" },
	{ "doctor", RF_VERB_DOCTOR, TAKES_NOTHING, "json" },
	{ "list", RF_VERB_LIST, TAKES_NOTHING, "run-dir json" },
	{ "info", RF_VERB_INFO, TAKES_NAME, "run-dir json" },
	{ "console", RF_VERB_CONSOLE, TAKES_NAME, "run-dir" },
	{ "pause", RF_VERB_PAUSE, TAKES_NAME, "run-dir json" },
	{ "resume", RF_VERB_RESUME, TAKES_NAME, "run-dir json" },
	{ "stop", RF_VERB_STOP, TAKES_NAME, "run-dir json timeout force" },
	{ "reboot", RF_VERB_REBOOT, TAKES_NAME, "run-dir json timeout" },
	{ "kill", RF_VERB_KILL, TAKES_NAME, "run-dir json" },
	{ "stats", RF_VERB_STATS, TAKES_NAME, "run-dir json" },
	{ "disks", RF_VERB_DISKS, TAKES_NAME, "run-dir json" },
	{ "attach-disk", RF_VERB_ATTACH_DISK, TAKES_NAME_AND_DISK, "run-dir json" },
	{ "detach-disk", RF_VERB_DETACH_DISK, TAKES_NAME_AND_DISK,
	  "run-dir json timeout force" },
	{ "balloon", RF_VERB_BALLOON, TAKES_NAME_AND_SIZE, "run-dir json timeout" },
	{ "vcpus", RF_VERB_VCPUS, TAKES_NAME_AND_VCPUS, "run-dir json timeout" },
	{ "version", RF_VERB_VERSION, TAKES_NOTHING, "json" },
	{ "help", RF_VERB_HELP, TAKES_NOTHING, "" },
};

static const struct option options[] = {
	{ "kernel", required_argument, NULL, 'k' },
	{ "initrd", required_argument, NULL, 'i' },
	{ "cmdline", required_argument, NULL, 'p' },
	{ "memory", required_argument, NULL, 'm' },
	{ "cpus", required_argument, NULL, 'c' },
	{ "ata", required_argument, NULL, OPT_ATA },
	{ "balloon", required_argument, NULL, OPT_BALLOON },
	{ "cdrom", required_argument, NULL, OPT_CDROM },
	{ "console", required_argument, NULL, OPT_CONSOLE },
	{ "disk", required_argument, NULL, OPT_DISK },
	{ "extract", required_argument, NULL, OPT_EXTRACT },
	{ "force", no_argument, NULL, OPT_FORCE },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "name", required_argument, NULL, OPT_NAME },
	{ "net", required_argument, NULL, OPT_NET },
	{ "no-reboot", no_argument, NULL, OPT_NO_REBOOT },
	{ "run-dir", required_argument, NULL, OPT_RUN_DIR },
	{ "seccomp", required_argument, NULL, OPT_SECCOMP },
	{ "serial", required_argument, NULL, OPT_SERIAL },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "user", required_argument, NULL, OPT_USER },
	{ NULL, 0, NULL, 0 },
};

void rf_config_print_help(void)
{
	fputs("usage: ringfence run -k KERNEL [-i INITRD] [-p CMDLINE] [-m 512M] [-c 1] ...\n"
	      "       ringfence VERB [NAME] [--json]\n"
	      "\n"
	      "  run        start a guest and stay with it until it ends\n"
	      "  list       the guests that run\n"
	      "  info       what one guest is made of and what it does\n"
	      "  console    attach to a guest's console; ^] detaches\n"
	      "  pause      stop a guest's vCPUs;  resume lets them run again\n"
	      "  stop       ask a guest to power off, and wait until it has\n"
	      "  reboot     ask it to reboot, and wait until it does\n"
	      "  kill       end a guest now\n"
	      "  stats      a guest's counters\n"
	      "  disks      a guest's disks, with counters\n"
	      "  attach-disk NAME DISK   give a guest that runs another disk\n"
	      "  detach-disk NAME SLOT|SERIAL   take one away again\n"
	      "  balloon NAME [SIZE]   what a guest keeps of its memory; or have it keep SIZE\n"
	      "  vcpus NAME [N]   how many of its vCPUs a guest has up; or have it use N\n"
	      "  inspect    what a kernel file asks of us; --extract FILE unpacks it\n"
	      "  doctor     can this host run guests, and if not, what to do\n"
	      "  version    of this program and of the module\n"
	      "  help       this text\n"
	      "\n"
	      "run:\n"
	      "  -k, --kernel FILE     bzImage or ELF, built with CONFIG_XEN_PV\n"
	      "  -i, --initrd FILE\n"
	      "  -p, --cmdline TEXT    kernel command line (the console is hvc0)\n"
	      "  -m, --memory SIZE     512M, 2G; a bare number is MiB\n"
	      "  -c, --cpus N          vCPUs\n"
	      "      --name NAME       for the other verbs; default vm-PID\n"
	      "      --console WHERE   stdio (default), socket, none, file:PATH\n"
	      "      --disk PATH[,readonly][,direct|buffered][,serial=S][,discard]\n"
	      "             [,offset=N][,size=N][,iops=N][,bps=N][,queues=N]\n"
	      "             [,blocksize=N][,format=F]   may be repeated\n"
	      "      --net if=NAME[,bridge=BR][,mac=M][,lockmac][,queues=N][,mtu=N]\n"
	      "                        an interface of the host; may be repeated\n"
	      "      --balloon auto[,min=SIZE]  give memory back when the host needs it\n"
	      "      --serial WHERE    16550A at 0x3f8: stdio, file:PATH, socket:PATH\n"
	      "      --ata FILE[,readonly]  disk at 0x1f0; up to twice\n"
	      "      --cdrom FILE      CD-ROM at 0x170\n"
	      "      --no-reboot       a reboot ends the run, with status 3\n"
	      "      --seccomp on|off  confine the launcher after set-up; default on\n"
	      "      --user USER       whom root becomes after set-up\n"
	      "stop, reboot, detach-disk, balloon, vcpus:\n"
	      "      --timeout S       wait so many seconds; default 60, 0 does not wait\n"
	      "      --force           stop: then end the guest anyway; detach-disk: at once\n"
	      "all:  --json, --run-dir DIR\n"
	      "\n"
	      "Exit status of run: 0 power-off, 1 set-up failed, 2 usage, 3 reboot,\n"
	      "4 guest crashed, 5 killed by the module, 6 killed by a person.\n",
	      stdout);
}

int rf_config_parse_size(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMGT";
	unsigned long long number;
	unsigned int shift;
	const char *unit;
	char *end;

	if (!isdigit((unsigned char)*text))
		return -1;
	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno)
		return -1;
	unit = strchr(units, *end ? toupper((unsigned char)*end) : 'M');
	if (!unit)
		return -1;
	end += !!*end;
	if (!strcmp(end, "iB") || !strcmp(end, "B"))
		end += strlen(end);
	shift = 10 * (unit - units + 1);
	if (*end || number > UINT64_MAX >> shift)
		return -1;
	*bytes = (uint64_t)number << shift;
	return 0;
}

static int parse_number(const char *text, unsigned long max,
			unsigned int *number)
{
	unsigned long value;
	char *end;

	if (!isdigit((unsigned char)*text))
		return -1;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || value > max)
		return -1;
	*number = value;
	return 0;
}

bool rf_config_name_is_good(const char *name)
{
	size_t len = strlen(name);

	if (!len || len > MAX_NAME || !isalnum((unsigned char)*name))
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("._-", *name))
			return false;
	return true;
}

static int set_name(struct rf_config *config, const char *name,
		    struct rf_error *err)
{
	if (!rf_config_name_is_good(name))
		return rf_error_set(err, "'%.60s' cannot be a name: use at "
					 "most %d letters, digits and '._-', a "
					 "letter or digit first",
				    name, MAX_NAME);
	config->name = name;
	return 0;
}

static int set_memory(struct rf_config *config, const char *text,
		      struct rf_error *err)
{
	if (rf_config_parse_size(text, &config->memory) ||
	    config->memory < MIN_MEMORY || config->memory > MAX_MEMORY ||
	    config->memory % 4096)
		return rf_error_set(err, "-m %s: give a size from 4M to 255G, such as 512M",
				    text);
	return 0;
}

/* ringfence balloon NAME SIZE */
static int set_balloon_size(struct rf_config *config, int nr, char **args,
			    struct rf_error *err)
{
	if (nr > 2)
		return rf_error_set(err, "balloon: what is '%s' for? See 'ringfence help'",
				    args[2]);
	if (rf_config_parse_size(args[1], &config->balloon_size) ||
	    config->balloon_size < MIN_MEMORY || config->balloon_size > MAX_MEMORY)
		return rf_error_set(err, "balloon: '%s' is no size from 4M to 255G, such as 256M",
				    args[1]);
	return 0;
}

/* ringfence vcpus NAME N */
static int set_vcpus_online(struct rf_config *config, int nr, char **args,
			    struct rf_error *err)
{
	if (nr > 2)
		return rf_error_set(err, "vcpus: what is '%s' for? See 'ringfence help'",
				    args[2]);
	if (parse_number(args[1], RF_MAX_VCPUS, &config->vcpus_online) ||
	    !config->vcpus_online)
		return rf_error_set(err, "vcpus: '%s' is no number from 1 to %d",
				    args[1], RF_MAX_VCPUS);
	return 0;
}

/* auto[,min=SIZE] */
static int set_balloon(struct rf_config *config, const char *text,
		       struct rf_error *err)
{
	if (!strncmp(text, "auto,min=", 9)) {
		if (rf_config_parse_size(text + 9, &config->balloon_min) ||
		    config->balloon_min < MIN_MEMORY)
			return rf_error_set(err, "--balloon %s: min= is a size from 4M, say 128M",
					    text);
	} else if (strcmp(text, "auto")) {
		return rf_error_set(err, "--balloon %s: say auto or auto,min=SIZE",
				    text);
	}
	config->balloon_auto = true;
	return 0;
}

static int set_cpus(struct rf_config *config, const char *text,
		    struct rf_error *err)
{
	if (parse_number(text, RF_MAX_VCPUS, &config->nr_vcpus) ||
	    !config->nr_vcpus)
		return rf_error_set(err, "-c %s: give a number from 1 to %d",
				    text, RF_MAX_VCPUS);
	return 0;
}

static int set_timeout(struct rf_config *config, const char *text,
		       struct rf_error *err)
{
	if (parse_number(text, MAX_TIMEOUT, &config->timeout))
		return rf_error_set(err, "--timeout %s: give seconds, from 0 to %d",
				    text, MAX_TIMEOUT);
	return 0;
}

static int set_console(struct rf_config *config, const char *text,
		       struct rf_error *err)
{
	if (!strcmp(text, "stdio"))
		config->console = RF_CONSOLE_STDIO;
	else if (!strcmp(text, "socket"))
		config->console = RF_CONSOLE_SOCKET;
	else if (!strcmp(text, "none"))
		config->console = RF_CONSOLE_NONE;
	else if (!strncmp(text, "file:", 5) && text[5])
		config->console = RF_CONSOLE_FILE;
	else
		return rf_error_set(err, "--console %s: say stdio, socket, none or file:PATH",
				    text);
	config->console_path = config->console == RF_CONSOLE_FILE ? text + 5 :
								    NULL;
	return 0;
}

static int set_serial(struct rf_config *config, const char *text,
		      struct rf_error *err)
{
	const char *colon = strchr(text, ':');

	config->serial_path = colon && colon[1] ? colon + 1 : NULL;
	if (!strcmp(text, "stdio"))
		config->serial = RF_SERIAL_STDIO;
	else if (!strncmp(text, "file:", 5) && config->serial_path)
		config->serial = RF_SERIAL_FILE;
	else if (!strncmp(text, "socket:", 7) && config->serial_path)
		config->serial = RF_SERIAL_SOCKET;
	else
		return rf_error_set(err, "--serial %s: say stdio, file:PATH or socket:PATH",
				    text);
	return 0;
}

/* FILE, or FILE,readonly: the word is cut off. */
static int add_ata(struct rf_config *config, char *text, struct rf_error *err)
{
	struct rf_ata_config *ata = &config->ata[config->nr_ata];
	char *comma = strrchr(text, ',');

	if (config->nr_ata == RF_MAX_ATA)
		return rf_error_set(err, "--ata %s: there is room for %d disks", text,
				    RF_MAX_ATA);
	ata->read_only = comma && !strcmp(comma, ",readonly");
	if (ata->read_only)
		*comma = 0;
	if (!*text)
		return rf_error_set(err, "--ata: which file?");
	ata->path = text;
	config->nr_ata++;
	return 0;
}

/* Only one can have standard input and output; unless told, not the console. */
static int share_stdio(struct rf_config *config, struct rf_error *err)
{
	bool taken = config->serial == RF_SERIAL_STDIO;

	if (taken && config->console == RF_CONSOLE_STDIO)
		return rf_error_set(err, "--serial stdio and --console stdio: give one of "
					 "them another place");
	if (config->console == RF_CONSOLE_UNSAID)
		config->console = taken ? RF_CONSOLE_SOCKET : RF_CONSOLE_STDIO;
	return 0;
}

static int set_disk(struct rf_config *config, const char *text,
		    struct rf_error *err)
{
	if (config->nr_disks == RF_MAX_DISKS)
		return rf_error_set(err, "--disk: a guest has at most %d disks",
				    RF_MAX_DISKS);
	return rf_disk_spec_parse(&config->disks[config->nr_disks++], text, err);
}

static int set_net(struct rf_config *config, const char *text,
		   struct rf_error *err)
{
	if (config->nr_nets == RF_MAX_NETS)
		return rf_error_set(err, "--net: a guest has at most %d network devices",
				    RF_MAX_NETS);
	return rf_net_spec_parse(&config->nets[config->nr_nets++], text, err);
}

static int set_seccomp(struct rf_config *config, const char *text,
		       struct rf_error *err)
{
	if (strcmp(text, "on") && strcmp(text, "off"))
		return rf_error_set(err, "--seccomp %s: say on or off", text);
	config->seccomp = !strcmp(text, "on");
	return 0;
}

static bool verb_has_option(const struct verb *verb, const char *name)
{
	const char *at = verb->options;
	size_t len = strlen(name);

	while (*at) {
		size_t word = strcspn(at, " ");

		if (word == len && !memcmp(at, name, len))
			return true;
		at += word + strspn(at + word, " ");
	}
	return false;
}

static const char *option_name(int opt)
{
	for (size_t i = 0; options[i].name; i++)
		if (options[i].val == opt)
			return options[i].name;
	return "";
}

static int set_option(struct rf_config *config, int opt, char *arg,
		      struct rf_error *err)
{
	switch (opt) {
	case 'k':
		config->kernel = arg;
		return 0;
	case 'i':
		config->initrd = arg;
		return 0;
	case 'p':
		config->cmdline = arg;
		return 0;
	case 'm':
		return set_memory(config, arg, err);
	case 'c':
		return set_cpus(config, arg, err);
	case OPT_ATA:
		return add_ata(config, arg, err);
	case OPT_BALLOON:
		return set_balloon(config, arg, err);
	case OPT_CDROM:
		config->cdrom = arg;
		return 0;
	case OPT_SERIAL:
		return set_serial(config, arg, err);
	case OPT_CONSOLE:
		return set_console(config, arg, err);
	case OPT_DISK:
		return set_disk(config, arg, err);
	case OPT_EXTRACT:
		config->extract = arg;
		return 0;
	case OPT_FORCE:
		config->force = true;
		return 0;
	case OPT_JSON:
		config->json = true;
		return 0;
	case OPT_NAME:
		return set_name(config, arg, err);
	case OPT_NET:
		return set_net(config, arg, err);
	case OPT_NO_REBOOT:
		config->no_reboot = true;
		return 0;
	case OPT_RUN_DIR:
		config->run_dir = arg;
		return 0;
	case OPT_SECCOMP:
		return set_seccomp(config, arg, err);
	case OPT_TIMEOUT:
		return set_timeout(config, arg, err);
	case OPT_USER:
		config->user = arg;
		return 0;
	}
	return -1;
}

static int take_arguments(struct rf_config *config, const struct verb *verb,
			  int nr, char **args, struct rf_error *err)
{
	int used = 0;

	switch (verb->takes) {
	case TAKES_NAME:
	case TAKES_NAME_AND_DISK:
	case TAKES_NAME_AND_SIZE:
	case TAKES_NAME_AND_VCPUS:
		if (!nr)
			return rf_error_set(err, "%s: of which guest? See 'ringfence list'",
					    verb->name);
		if (set_name(config, args[0], err))
			return -1;
		used = 1;
		if (verb->takes == TAKES_NAME)
			break;
		if (verb->takes == TAKES_NAME_AND_SIZE)
			return nr > 1 ? set_balloon_size(config, nr, args, err) : 0;
		if (verb->takes == TAKES_NAME_AND_VCPUS)
			return nr > 1 ? set_vcpus_online(config, nr, args, err) : 0;
		if (nr < 2)
			return rf_error_set(err, "%s: which disk?", verb->name);
		config->disk = args[1];
		used = 2;
		break;
	case TAKES_KERNEL:
		if (nr && !config->kernel) {
			config->kernel = args[0];
			used = 1;
		}
		break;
	default:
		break;
	}
	if (nr > used)
		return rf_error_set(err, "%s: what is '%s' for? See 'ringfence help'",
				    verb->name, args[used]);
	if ((config->verb == RF_VERB_RUN || config->verb == RF_VERB_INSPECT) &&
	    !config->kernel)
		return rf_error_set(err, "%s: which kernel? Use -k FILE",
				    verb->name);
	return 0;
}

static const struct verb *verb_find(const char *name)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

static int parse_options(struct rf_config *config, const struct verb *verb,
			 int argc, char **argv, struct rf_error *err)
{
	int opt;

	opterr = 0;
	optind = 0;
	while ((opt = getopt_long(argc, argv, ":k:i:p:m:c:h", options,
				  NULL)) >= 0) {
		if (opt == ':')
			return rf_error_set(err, "%s: %s needs a value",
					    verb->name, argv[optind - 1]);
		if (opt == 'h' || opt == OPT_HELP) {
			config->verb = RF_VERB_HELP;
			return 0;
		}
		if (opt == '?')
			return rf_error_set(err, "%s: no option %s; see 'ringfence help'",
					    verb->name, argv[optind - 1]);
		if (!verb_has_option(verb, option_name(opt)))
			return rf_error_set(err, "%s does not take --%s",
					    verb->name, option_name(opt));
		if (set_option(config, opt, optarg, err))
			return -1;
	}
	if (share_stdio(config, err))
		return -1;
	return take_arguments(config, verb, argc - optind, argv + optind, err);
}

int rf_config_parse(struct rf_config *config, int argc, char **argv,
		    struct rf_error *err)
{
	const struct verb *verb;

	*config = (struct rf_config){
		.cmdline = "console=hvc0",
		.memory = 512ULL << 20,
		.nr_vcpus = 1,
		.console = RF_CONSOLE_UNSAID,
		.seccomp = true,
		.timeout = 60,
	};
	if (argc < 2)
		return rf_error_set(err, "what shall be done? See 'ringfence help'");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		config->verb = RF_VERB_HELP;
		return 0;
	}
	verb = verb_find(!strcmp(argv[1], "--version") ? "version" : argv[1]);
	if (!verb)
		return rf_error_set(err, "no verb '%s'; see 'ringfence help'",
				    argv[1]);
	config->verb = verb->verb;
	return parse_options(config, verb, argc - 1, argv + 1, err);
}
