"""Stack Exchange archives (7z or Posts.xml)"""
