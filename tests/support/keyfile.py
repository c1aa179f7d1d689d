"""Reads every key file of a folder with NetworkManager's own library and prints its properties as JSON.

    /usr/bin/python3 keyfile.py FOLDER

libnm reads key files with the code of the daemon; what it does not like of one stands in "remarks" or "invalid".
"""

import json
import os
import sys

import gi

gi.require_version("NM", "1.0")
from gi.repository import GLib, NM  # noqa: E402

MODES = {0: "eui64", 1: "stable-privacy", 2: "default-or-eui64", 3: "default"}


def family(setting):
    addresses = [setting.get_address(n) for n in range(setting.get_num_addresses())]
    return {
        "method": setting.get_method(),
        "addresses": [f"{address.get_address()}/{address.get_prefix()}" for address in addresses],
        "gateway": setting.get_gateway(),
        "dns": [setting.get_dns(n) for n in range(setting.get_num_dns())],
        "route_metric": setting.get_route_metric(),
    }


def wifi(setting, security):
    found = {
        "ssid": list(setting.get_ssid().get_data()),
        "mode": setting.get_mode(),
        "cloned_mac": setting.get_cloned_mac_address(),
        "hidden": setting.get_hidden(),
    }
    if security is not None:
        found["security"] = {
            "key_mgmt": security.get_key_mgmt(),
            "psk": security.get_psk(),
            "wep_key": security.get_wep_key(0),
            "wep_type": int(security.get_wep_key_type()),
        }
    return found


def read(path):
    remarks = []

    def remark(_file, _connection, _kind, data, *_rest):
        remarks.append(str(data))
        return False

    file = GLib.KeyFile()
    file.load_from_file(path, GLib.KeyFileFlags.NONE)
    connection = NM.keyfile_read(file, os.path.dirname(path), NM.KeyfileHandlerFlags.NONE, remark, None)
    invalid = None
    try:
        connection.verify()
        connection.verify_secrets()
    except GLib.Error as error:
        invalid = error.message
    of = connection.get_setting_connection()
    six = connection.get_setting_ip6_config()
    found = {
        "invalid": invalid,
        "remarks": remarks,
        "id": of.get_id(),
        "uuid": of.get_uuid(),
        "type": of.get_connection_type(),
        "interface": of.get_interface_name(),
        "autoconnect": of.get_autoconnect(),
        "mdns": int(of.get_mdns()),
        "llmnr": int(of.get_llmnr()),
        "ipv4": family(connection.get_setting_ip4_config()),
        "ipv6": family(six),
        "address_mode": MODES[int(six.get_addr_gen_mode())],
        "privacy": int(six.get_ip6_privacy()),
    }
    if connection.get_setting_wired() is not None:
        found["cloned_mac"] = connection.get_setting_wired().get_cloned_mac_address()
    if connection.get_setting_wireless() is not None:
        security = connection.get_setting_wireless_security()
        found["wifi"] = wifi(connection.get_setting_wireless(), security)
    if connection.get_setting_vlan() is not None:
        vlan = connection.get_setting_vlan()
        found["vlan"] = {"id": vlan.get_id(), "parent": vlan.get_parent()}
    return found


folder = sys.argv[1]
print(json.dumps({name: read(os.path.join(folder, name)) for name in sorted(os.listdir(folder))}))
