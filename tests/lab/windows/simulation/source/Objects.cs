// Copyright (c) 2026, the Breakwater authors
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Objects as the CIM and WMI cmdlets return them, and the errors they raise.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Management.Automation;
using System.Reflection;

namespace System.Management
{
    public enum ManagementStatus
    {
        NoError = 0,
        AccessDenied = unchecked((int)0x80041003),
        InvalidClass = unchecked((int)0x80041010),
        InvalidNamespace = unchecked((int)0x8004100E),
        InvalidQuery = unchecked((int)0x80041017),
        NotFound = unchecked((int)0x80041002),
    }

    /// <summary>The type of this name outside Windows cannot be made.</summary>
    public sealed class ManagementException : SystemException
    {
        public ManagementException(ManagementStatus status, string message) : base(message)
        {
            ErrorCode = status;
            HResult = unchecked((int)0x80131501);
        }

        public ManagementStatus ErrorCode { get; }
    }
}

namespace Breakwater.Lab
{
    public sealed class CimProperty
    {
        public string Name { get; init; }
        public object Value { get; init; }
        public string CimType { get; init; }
        public override string ToString() => Name + " = " + Value;
    }

    public sealed class CimSystemProperties
    {
        public string Namespace { get; init; }
        public string ServerName { get; init; }
        public string ClassName { get; init; }
        public string Path { get; init; }
        public override string ToString() => "Microsoft.Management.Infrastructure.CimSystemProperties";
    }

    public sealed class CimClass
    {
        public string CimClassName { get; init; }
        public string Namespace { get; init; }
        public override string ToString() => Namespace + ":" + CimClassName;
    }

    public sealed class CimProperties : System.Collections.ObjectModel.KeyedCollection<string, CimProperty>
    {
        public CimProperties() : base(StringComparer.OrdinalIgnoreCase) { }
        protected override string GetKeyForItem(CimProperty item) => item.Name;
    }

    /// <summary>The base object of a simulated CIM instance: the three members that every one has.</summary>
    public sealed class CimInstance
    {
        public CimClass CimClass { get; init; }
        public CimProperties CimInstanceProperties { get; } = new();
        public CimSystemProperties CimSystemProperties { get; init; }
        public override string ToString() => CimClass.CimClassName;
    }

    public sealed class ManagementObject
    {
        public string ClassName { get; init; }
        public override string ToString() => ClassName;
    }

    public static class Objects
    {
        /// <summary>
        /// A CIM instance: properties as note properties (in a cmdlet's output the enumerations stand in for the numbers, as
        /// the script properties of the real modules do), PSComputerName, and the members that lead into the CIM world.
        /// </summary>
        public static PSObject Cim(string space, string className, IDictionary properties)
        {
            string server = (string)((IDictionary)State.Data["os"])["computer"];
            var instance = new CimInstance
            {
                CimClass = new CimClass { CimClassName = className, Namespace = space },
                CimSystemProperties = new CimSystemProperties { Namespace = space, ServerName = server, ClassName = className },
            };
            var shown = new PSObject(instance);
            foreach (DictionaryEntry property in properties)
            {
                object value = Unwrapped(property.Value);
                instance.CimInstanceProperties.Add(new CimProperty { Name = (string)property.Key, Value = value, CimType = value?.GetType().Name });
                shown.Properties.Add(Member(className, (string)property.Key, value), true);
            }
            shown.Properties.Add(new PSNoteProperty("PSComputerName", null), true);
            shown.TypeNames.Insert(0, "Microsoft.Management.Infrastructure.CimInstance#" + space + "/" + className);
            shown.TypeNames.Insert(1, "Microsoft.Management.Infrastructure.CimInstance");
            return shown;
        }

        public static PSObject Wmi(string space, string className, IDictionary properties)
        {
            string server = (string)((IDictionary)State.Data["os"])["computer"];
            var shown = new PSObject(new ManagementObject { ClassName = className });
            shown.Properties.Add(new PSNoteProperty("__CLASS", className), true);
            shown.Properties.Add(new PSNoteProperty("__NAMESPACE", space.Replace('/', '\\')), true);
            shown.Properties.Add(new PSNoteProperty("__SERVER", server), true);
            shown.Properties.Add(new PSNoteProperty("__PATH", "\\\\" + server + "\\" + space.Replace('/', '\\') + ":" + className), true);
            foreach (DictionaryEntry property in properties)
            {
                shown.Properties.Add(Member(className, (string)property.Key, Unwrapped(property.Value)), true);
            }
            shown.TypeNames.Insert(0, "System.Management.ManagementObject#" + space.Replace('/', '\\') + "\\" + className);
            shown.TypeNames.Insert(1, "System.Management.ManagementObject");
            return shown;
        }

        /// <summary>
        /// A property; of an update's InstalledOn, which WMI has as text, the type table of Windows PowerShell makes a time, and fails at
        /// an empty one.
        /// </summary>
        private static PSPropertyInfo Member(string className, string name, object value)
        {
            if (className != "Win32_QuickFixEngineering" || name != "InstalledOn" || value is not string text) { return new PSNoteProperty(name, value); }
            return new PSScriptProperty(name, ScriptBlock.Create("[datetime]::Parse('" + text + "', [Globalization.CultureInfo]::InvariantCulture)"));
        }

        private static object Unwrapped(object value) =>
            value is PSObject wrapped && wrapped.BaseObject is not PSCustomObject ? wrapped.BaseObject : value;
    }

    public static class Types
    {
        private const string Generated = "Microsoft.PowerShell.Cmdletization.GeneratedTypes.";

        /// <summary>A member of one of the enumerations that the CDXML modules generate, by name or number.</summary>
        public static object Member(string type, object value)
        {
            if (value == null) { return null; }
            System.Type found = typeof(Types).Assembly.GetType(Generated + type, true);
            return value is string name ? Enum.Parse(found, name, true) : Enum.ToObject(found, Convert.ToInt64(value));
        }
    }

    public static class Access
    {
        /// <summary>Whether the host's data refuses this user a command.</summary>
        public static bool Refuses(string command)
        {
            foreach (IDictionary rule in State.Data["denied_commands"] as IList ?? Array.Empty<object>())
            {
                if (command.Equals((string)rule["command"], StringComparison.OrdinalIgnoreCase)
                    && (rule["users"] is not IList users || users.Contains(State.UserName))) { return true; }
            }
            return false;
        }

        /// <summary>Whether the host's data says that a service does not start any more, or that a command fails half-way.</summary>
        public static bool Broken(string name) => State.Data["broken"] is IList names && names.Contains(name);

        /// <summary>What a caller without elevation gets of a command: the kind of error, or null.</summary>
        public static string Kind(string command) => ((IDictionary)State.Data["rules"])[command] as string;
    }

    public static class Errors
    {
        private static readonly System.Type CimException =
            System.Type.GetType("Microsoft.Management.Infrastructure.CimException, Microsoft.Management.Infrastructure", true);

        /// <summary>A CimException with the native error code that decides its category, as the CIM cmdlets raise it.</summary>
        public static ErrorRecord Cim(int native, uint hresult, string message, string command, object target)
        {
            var exception = (Exception)Activator.CreateInstance(CimException, message);
            exception.HResult = unchecked((int)0x80131500);
            PropertyInfo code = CimException.GetProperty("NativeErrorCode");
            code.SetValue(exception, Enum.ToObject(code.PropertyType, native),
                BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public, null, null, null);
            // A function's name is put behind the identifier by PowerShell, a cmdlet's class is not.
            string id = hresult >= 0x80000000 ? "HRESULT 0x" + hresult.ToString("x8") : "Windows System Error " + hresult;
            if (!string.IsNullOrEmpty(command)) { id += "," + command; }
            return new ErrorRecord(exception, id, Category(native), target);
        }

        /// <summary>The categories that PowerShell gives MI_Result codes.</summary>
        private static ErrorCategory Category(int code) => code switch
        {
            2 => ErrorCategory.PermissionDenied,
            3 or 5 or 12 => ErrorCategory.MetadataError,
            4 or 15 => ErrorCategory.InvalidArgument,
            6 => ErrorCategory.ObjectNotFound,
            7 => ErrorCategory.NotImplemented,
            11 => ErrorCategory.ResourceExists,
            _ => ErrorCategory.NotSpecified,
        };

        public static ErrorRecord Wmi(System.Management.ManagementStatus status, string message)
        {
            var category = status switch
            {
                System.Management.ManagementStatus.InvalidClass => ErrorCategory.InvalidType,
                System.Management.ManagementStatus.InvalidNamespace or System.Management.ManagementStatus.InvalidQuery => ErrorCategory.InvalidArgument,
                _ => ErrorCategory.InvalidOperation,
            };
            return new ErrorRecord(new System.Management.ManagementException(status, message),
                "GetWMIManagementException,Microsoft.PowerShell.Commands.GetWmiObjectCommand", category, null);
        }

        public static ErrorRecord Make(Exception exception, string id, ErrorCategory category, object target) => new(exception, id, category, target);

        public static ErrorRecord Com(uint hresult, string message, string id)
        {
            var exception = new System.Runtime.InteropServices.COMException(message, unchecked((int)hresult));
            return new ErrorRecord(exception, id, ErrorCategory.NotSpecified, null);
        }
    }
}
