"""systemd-logind as far as nexusd knows it, told what to do on standard input, a word a line:

  pid N    whose command line to read when an inhibitor lock is let go of
  sleep    PrepareForSleep(true)
  awake    PrepareForSleep(false)
  refuse   an error is the answer to Inhibit from now on

It prints "ready", "inhibit WHAT WHO MODE: WHY" for each lock that it gave, and "released COMMAND", the command line of that
process at this moment, once the last descriptor of it was closed.
"""
import os
import sys

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

MANAGER = 'org.freedesktop.login1.Manager'
followed = None
refuses = False


def say(text):
    print(text, flush=True)


class Manager(dbus.service.Object):
    @dbus.service.method(MANAGER, in_signature='ssss', out_signature='h')
    def Inhibit(self, what, who, why, mode):
        if refuses:
            raise dbus.exceptions.DBusException('not now', name='org.freedesktop.login1.OperationInProgress')
        ours, theirs = os.pipe()
        GLib.io_add_watch(ours, GLib.IO_HUP, self.released)
        say(f'inhibit {what} {who} {mode}: {why}')
        lock = dbus.types.UnixFd(theirs)
        os.close(theirs)
        return lock

    def released(self, lock, _condition):
        words = ''
        if followed:
            with open(f'/proc/{followed}/cmdline') as command:
                words = command.read().replace('\0', ' ').strip()
        say(f'released {words}')
        os.close(lock)
        return False

    @dbus.service.signal(MANAGER, signature='b')
    def PrepareForSleep(self, start):
        pass


def obey(line):
    global followed, refuses
    word, *more = line.split()
    if word == 'pid':
        followed = int(more[0])
    elif word == 'refuse':
        refuses = True
    else:
        manager.PrepareForSleep(word == 'sleep')


def listen(source, _condition):
    # Lines are written whole, several at a time or not.
    lines = os.read(source, 4096).decode().splitlines()
    for line in lines:
        obey(line)
    if not lines:
        loop.quit()
    return bool(lines)


dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
bus = dbus.bus.BusConnection(sys.argv[1])
name = dbus.service.BusName('org.freedesktop.login1', bus)
manager = Manager(bus, '/org/freedesktop/login1')
loop = GLib.MainLoop()
GLib.io_add_watch(sys.stdin.fileno(), GLib.IO_IN | GLib.IO_HUP, listen)
say('ready')
loop.run()
