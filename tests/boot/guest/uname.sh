#!/bin/sh
# The least a guest can do.
uname -a
