#!/bin/sh
reboot -f
sleep 60
